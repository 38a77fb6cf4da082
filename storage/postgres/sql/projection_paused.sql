SELECT projection_key FROM @projection_management WHERE projection_name = $1 AND paused
