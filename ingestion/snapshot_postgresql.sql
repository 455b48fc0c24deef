-- A standby does not list the transactions that are open on the primary: there only what lies below xmin counts as seen.
SELECT
    'postgresql/' || s.system_identifier || '.' || d.oid || '.'
    || CASE WHEN pg_is_in_recovery()
            THEN (SELECT upper(lpad(to_hex(timeline_id), 8, '0')) FROM pg_control_checkpoint())
            ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8)
       END
    || '/' || i.id || '/' || i.restore_number AS store_id,
    pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS cursor,
    CASE WHEN pg_is_in_recovery()
         THEN pg_snapshot_xmin(pg_current_snapshot())::text || ':' || pg_snapshot_xmin(pg_current_snapshot())::text || ':'
         ELSE pg_current_snapshot()::text
    END AS position
FROM store_identity AS i
CROSS JOIN pg_control_system() AS s
CROSS JOIN pg_database AS d
WHERE d.datname = current_database()
