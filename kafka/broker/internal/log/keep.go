package log

import "github.com/pabal-dev/pabal/kafka/broker/internal/batch"

// keep returns what stays of a batch: itself, a smaller one, or nothing.
func (c *compactor) keep(h batch.Header, b []byte) ([]byte, error) {
	switch {
	case h.BaseOffset >= c.to:
		return b, nil
	case h.Control():
		return c.keepMarker(h, b)
	case c.isAborted(h):
		return c.rewritten(h, b, nil, 0)
	}
	kept, tombstones, err := c.keepRecords(h, b)
	if err != nil {
		return nil, err
	}
	if len(kept) > 0 && h.Transactional() {
		c.hasData[h.ProducerID] = true
	}
	horizon := int64(0)
	if tombstones && !h.HasDeleteHorizon() {
		horizon = c.horizon()
	}
	if len(kept) == int(h.Count) && horizon == 0 && len(kept) > 0 {
		return b, nil
	}
	return c.rewritten(h, b, kept, horizon)
}

func (c *compactor) horizon() int64 { return c.now + c.cfg.DeleteRetention.Milliseconds() }

func (c *compactor) passed(h batch.Header) bool {
	return h.HasDeleteHorizon() && c.now >= h.DeleteHorizon()
}

func (c *compactor) keepRecords(h batch.Header, b []byte) (kept []batch.Record, tombstones bool, err error) {
	it, err := batch.Records(b, maxDecompressed)
	if err != nil {
		return nil, false, err
	}
	for r, ok := it.Next(); ok; r, ok = it.Next() {
		gone := r.Key != nil && c.keys.newer(r.Key, r.Offset)
		tombstone := r.Key != nil && r.Value == nil && r.Offset < c.to // older values are gone
		if gone || tombstone && c.passed(h) {
			continue
		}
		tombstones = tombstones || tombstone
		kept = append(kept, r)
	}
	return kept, tombstones, it.Err()
}

// keepMarker keeps a marker while its transaction has data, and a while longer.
func (c *compactor) keepMarker(h batch.Header, b []byte) ([]byte, error) {
	_, ok, err := batch.ReadMarker(b)
	if err != nil || !ok {
		return b, err
	}
	hasData := c.hasData[h.ProducerID]
	delete(c.hasData, h.ProducerID)
	switch {
	case hasData:
		return b, nil
	case c.passed(h):
		return nil, nil
	case h.HasDeleteHorizon():
		return b, nil
	}
	it, err := batch.Records(b, maxDecompressed)
	if err != nil {
		return nil, err
	}
	r, _ := it.Next()
	return batch.Rewrite(b, []batch.Record{r}, c.horizon())
}

// rewritten keeps the header of a batch without records where it is its producer's last.
func (c *compactor) rewritten(h batch.Header, b []byte, kept []batch.Record, horizon int64) ([]byte, error) {
	if last, there := c.lasts[h.ProducerID]; len(kept) == 0 && (!there || last != h.LastOffset()) {
		return nil, nil
	}
	if len(kept) == 0 && h.Transactional() { // its marker must stay, too
		c.hasData[h.ProducerID] = true
	}
	if len(kept) == 0 && h.Count == 0 {
		return b, nil
	}
	return batch.Rewrite(b, kept, horizon)
}
