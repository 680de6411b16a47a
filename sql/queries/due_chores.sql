SELECT name FROM due_chores() AS name
