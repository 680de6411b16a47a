-- The rest of step 22, once the functions are there. Up to it these three stood beside their functions, so that a database has
-- them already if a program of that time brought it up to here.
CREATE OR REPLACE TRIGGER dependency_noted AFTER INSERT ON job_dependency
    FOR EACH ROW EXECUTE FUNCTION note_dependency();
CREATE OR REPLACE TRIGGER needs_noted AFTER INSERT ON job_need REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION note_needs();
CREATE OR REPLACE TRIGGER lease_begun BEFORE INSERT ON worker FOR EACH ROW EXECUTE FUNCTION begin_lease();
