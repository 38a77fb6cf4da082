INSERT INTO @pabal_inbox AS i (consumer, id, generation, redriven, outcome)
SELECT $1, m.id, m.generation, m.redriven, m.outcome
FROM unnest($2::text[], $3::bigint[], $4::boolean[], $5::text[]) AS m(id, generation, redriven, outcome)
ON CONFLICT (consumer, id) DO UPDATE
SET generation = greatest(i.generation, excluded.generation), redriven = excluded.redriven,
    outcome = excluded.outcome, marked_at = excluded.marked_at
WHERE i.generation < excluded.generation OR (excluded.redriven AND i.outcome = 'dead')
RETURNING i.id
