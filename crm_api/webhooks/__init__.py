"""Events sent to other systems: CloudEvents, signed, retried, only to allowed hosts."""
