"""My day: my patients, finding a patient, the command palette and breaking the glass."""
