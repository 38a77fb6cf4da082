INSERT INTO pabal_inbox (consumer, id, marked_at, generation, outcome) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (consumer, id) DO UPDATE
SET marked_at = excluded.marked_at, generation = max(generation, excluded.generation), outcome = excluded.outcome
WHERE excluded.generation > generation OR ($6 AND outcome = 'dead')
