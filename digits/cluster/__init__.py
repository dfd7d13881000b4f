"""Optional: the same reading and trainings on many machines. Ray schedules and retries, nothing here does."""
