SELECT note_chore_failure($1::text, $2::text)
