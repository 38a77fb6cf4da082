package cluster

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// Messages reads a page of a topic's committed messages. Where it searches, it
// stops after a while or a size and says so; Next goes on there.
func (c *Cluster) Messages(ctx context.Context, q api.MessageQuery) (api.Messages, error) {
	s, err := c.newScan(ctx, q)
	if err != nil {
		return api.Messages{}, err
	}
	bounded, cancel := c.within(ctx)
	err = s.open(bounded)
	cancel()
	if err != nil {
		return api.Messages{}, err
	}
	if err := s.run(); err != nil {
		return api.Messages{}, err
	}
	return s.result(), ctx.Err()
}

// newScan checks the query.
func (c *Cluster) newScan(ctx context.Context, q api.MessageQuery) (*scan, error) {
	limit, err := limitOf(q.Limit)
	if err != nil {
		return nil, err
	}
	f, err := parseFilter(q.Filter)
	if err != nil {
		return nil, err
	}
	if q.From == "" {
		q.From = "latest"
	}
	if !strings.HasPrefix(q.From, cursorPrefix) {
		if _, err := parseTarget("from", q.From); err != nil {
			return nil, err
		}
	}
	return &scan{c: c, ctx: ctx, query: q, filter: f, limit: limit, deadline: time.Now().Add(c.config.ScanTime)}, nil
}

// open finds the topic and where to begin in each partition.
func (s *scan) open(ctx context.Context) error {
	t, err := s.c.oneTopic(ctx, s.query.Topic)
	if err != nil {
		return err
	}
	s.topic = t
	logs, err := s.c.logs(ctx, t, s.query.Partition)
	if err != nil {
		return err
	}
	usable := make(map[int32]span, len(logs))
	var away error
	for _, p := range sortedKeys(logs) {
		log := logs[p]
		if log.err != nil {
			s.notes = append(s.notes, fmt.Sprintf("partition %d is left out: %v", p, log.err))
			away = log.err
			continue
		}
		usable[p] = log
		if open := log.end - log.stable; open > 0 {
			s.notes = append(s.notes, fmt.Sprintf("partition %d has %d records behind an open transaction, not shown until it ends", p, open))
		}
	}
	if len(usable) == 0 && away != nil {
		return s.c.explain("read topic "+t.name, away)
	}
	if strings.HasPrefix(s.query.From, cursorPrefix) {
		return s.resume(usable)
	}
	return s.begin(ctx, usable)
}

// logs are the spans of the partitions asked for.
func (c *Cluster) logs(ctx context.Context, t *topic, partition *int32) (map[int32]span, error) {
	numbers := t.numbers()
	if partition != nil {
		if t.partition(*partition) == nil {
			return nil, fmt.Errorf("%w: topic %s has no partition %d, only 0 to %d", api.ErrNotFound, t.name, *partition, len(numbers)-1)
		}
		numbers = []int32{*partition}
	}
	spans, err := c.spans(ctx, map[string][]int32{t.name: numbers}, true)
	if err != nil {
		return nil, err
	}
	out := make(map[int32]span, len(numbers))
	for _, n := range numbers {
		out[n] = spans[place{t.name, n}]
	}
	return out, nil
}

// resume goes on where a page ended.
func (s *scan) resume(logs map[int32]span) error {
	from, err := parseCursor(s.query)
	if err != nil {
		return err
	}
	s.back = from.back
	places := from.byPartition()
	for _, p := range sortedKeys(logs) {
		log := logs[p]
		at, ok := places[p]
		st := &stream{partition: p, low: log.start, high: log.stable, back: s.back}
		switch {
		case !ok && s.back:
			st.high = st.low // made since: newer than the page
		case ok && s.back:
			st.high = min(max(at, log.start), log.stable)
		case ok:
			st.low = min(max(at, log.start), log.stable)
			s.noteCut(p, at, log)
		}
		s.streams = append(s.streams, st)
	}
	return nil
}

func (s *scan) noteCut(partition int32, at int64, log span) {
	switch {
	case at < log.start:
		s.notes = append(s.notes, fmt.Sprintf("offset %d of partition %d is gone: it begins at %d", at, partition, log.start))
	case at > log.end:
		s.notes = append(s.notes, fmt.Sprintf("offset %d is past the end of partition %d, which is %d", at, partition, log.end))
	}
}

// begin seeks.
func (s *scan) begin(ctx context.Context, logs map[int32]span) error {
	to, err := parseTarget("from", s.query.From)
	if err != nil {
		return err
	}
	places, err := s.c.locate(ctx, to, s.topic.name, logs)
	if err != nil {
		return err
	}
	s.back, s.since = to.kind == toLatest, to.at
	late := 0
	for _, p := range sortedKeys(logs) {
		log, at := logs[p], places[p]
		st := &stream{partition: p, low: log.start, high: log.stable, back: s.back}
		if !s.back {
			st.low = min(max(at.offset, log.start), log.stable)
		}
		if to.kind == toOffset {
			s.noteCut(p, at.offset, log)
		}
		if at.none {
			late++
		}
		s.streams = append(s.streams, st)
	}
	if late > 0 && late == len(logs) {
		s.notes = append(s.notes, fmt.Sprintf("no message is from %s or later", to.at.UTC().Format(time.RFC3339Nano)))
	}
	return nil
}
