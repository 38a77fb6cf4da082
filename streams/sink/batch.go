package sink

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// badRecord is one that Render failed for.
type badRecord struct {
	offset int64
	err    error
}

func (b *badRecord) Error() string {
	return fmt.Sprintf("the record at offset %d cannot be rendered (Config.Skip may leave it out): %v", b.offset, b.err)
}

func (b *badRecord) Unwrap() error { return b.err }

// batch makes one of the first pending records, and says of how many, and how many of them are
// skipped. A bad record ends it; alone it is an error.
func (s *Sink) batch(p *part) (b Batch, n, skipped int, err error) {
	b = Batch{Sink: s.cfg.Name, Topic: s.place(), Partition: p.number, From: p.stored, To: p.stored}
	places := map[string]int{}
	for _, r := range p.pending {
		if len(b.Changes) >= s.cfg.BatchSize {
			break
		}
		c, keep, err := s.change(r)
		if err != nil && s.cfg.Skip != nil && s.cfg.Skip(p.number, c, err) {
			keep, err = false, nil
			skipped++
		}
		if err != nil && n > 0 {
			break
		}
		if err != nil {
			return b, 0, 0, &badRecord{r.Offset, err}
		}
		n++
		b.To = r.Offset + 1
		if !keep {
			continue
		}
		if at, ok := places[string(c.Key)]; ok {
			b.Changes[at].Key = nil // replaced by a later one
		}
		places[string(c.Key)] = len(b.Changes)
		b.Changes = append(b.Changes, c)
	}
	b.Changes = compact(b.Changes)
	return b, n, skipped, nil
}

func compact(changes []Change) []Change {
	out := changes[:0]
	for _, c := range changes {
		if c.Key != nil {
			out = append(out, c)
		}
	}
	return out
}

// change of a record. Those without a key are in no table.
func (s *Sink) change(r *kgo.Record) (c Change, keep bool, err error) {
	if r.Attrs.IsControl() || r.Key == nil {
		return c, false, nil
	}
	c = Change{Key: r.Key, Value: r.Value, Timestamp: r.Timestamp, Offset: r.Offset}
	if s.cfg.Render == nil {
		return c, true, nil
	}
	rendered, keep, err := s.cfg.Render(c)
	if err != nil {
		return c, false, err
	}
	if keep && rendered.Key == nil {
		rendered.Key = []byte{}
	}
	return rendered, keep, nil
}
