SELECT
    'sqlite/' || i.id || '/' || i.restore_number AS store_id,
    c.value AS cursor,
    (c.value + 1) || ':' || (c.value + 1) || ':' AS position
FROM store_identity AS i CROSS JOIN capture_clock AS c
