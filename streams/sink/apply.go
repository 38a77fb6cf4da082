package sink

import (
	"context"
	"errors"
	"sync"
	"time"
)

// apply has the target make what was read, several partitions at a time.
func (s *Sink) apply(parts []*part) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, parallel)
	for _, p := range parts {
		if !p.known || len(p.pending) == 0 || time.Now().Before(p.retry) {
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			s.applyAll(p)
		})
	}
	wg.Wait()
}

// applyAll in batches, until one fails.
func (s *Sink) applyAll(p *part) {
	for len(p.pending) > 0 && s.life.Err() == nil {
		b, n, skipped, err := s.batch(p)
		if err == nil && n > 0 {
			err = s.applyOne(b)
		}
		switch {
		case errors.Is(err, ErrMoved):
			s.mu.Lock()
			p.known, p.pending, p.retry = false, nil, time.Now()
			if p.failures > 0 || b.From == None {
				s.wait(p) // others, or an answer that was lost
			}
			p.failures++
			s.mu.Unlock()
			s.lost(p, b)
			return
		case err != nil:
			var bad *badRecord
			s.mu.Lock()
			p.stuck = errors.As(err, &bad)
			s.wait(p)
			s.mu.Unlock()
			s.partFailed(p, err)
			s.client.PauseFetchPartitions(map[string][]int32{s.topic: {p.number}})
			return
		}
		s.mu.Lock()
		p.stored, p.failures, p.retry, p.stuck = b.To, 0, time.Time{}, false
		p.pending = p.pending[n:]
		s.mu.Unlock()
		s.counts.skipped.Add(skipped)
		s.problems.Solve(partProblem(p.number))
		s.client.ResumeFetchPartitions(map[string][]int32{s.topic: {p.number}})
	}
}

// lost counts it where the target has lost its position, rather than another process moved it.
func (s *Sink) lost(p *part, b Batch) {
	ctx, cancel := context.WithTimeout(s.life, s.cfg.Timeout)
	defer cancel()
	at, err := s.target.Positions(ctx, b.Sink, b.Topic, []int32{p.number})
	if err != nil {
		return // it is looked again soon
	}
	if stored, ok := at[p.number]; !ok || stored < b.From {
		s.counts.resyncs.Add(1)
		s.cfg.Logger.Warn("sink: the target has lost what was applied; it is filled again", "sink", s.cfg.Name, "partition", p.number, "had", b.From)
	}
}

func (s *Sink) applyOne(b Batch) error {
	ctx, cancel := context.WithTimeout(s.life, s.cfg.Timeout)
	defer cancel()
	if err := s.target.Apply(ctx, b); err != nil {
		return err
	}
	for _, c := range b.Changes {
		if c.Value == nil {
			s.counts.deleted.Add(1)
		} else {
			s.counts.applied.Add(1)
		}
	}
	return nil
}
