-- Tables about inhabitants that came after the wall (0016) are closed as the others are.
ALTER TABLE staff_standing ENABLE ROW LEVEL SECURITY;
