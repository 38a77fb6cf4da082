package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/record"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// scan merges the streams of a topic's partitions by time, within bounds.
type scan struct {
	c       *Cluster
	ctx     context.Context // the user's, without the bound of one question
	topic   *topic
	query   api.MessageQuery
	filter  filter
	limit   int
	back    bool
	streams []*stream

	deadline time.Time
	bytes    int // fetched
	shown    int // bytes on the page
	scanned  int64
	items    []api.Message
	stopped  bool
	retries  int
	notes    []string
	since    time.Time // sought; zero for none
}

const (
	// maxPageBytes of values on a page, above which it ends early.
	maxPageBytes = 16 << 20
	// maxRetries after errors that another question may mend.
	maxRetries = 3
)

// run fills the page. Its error means that nothing could be read.
func (s *scan) run() error {
	for {
		if err := s.fill(); err != nil {
			return err
		}
		first := s.first()
		if s.stopped || first == nil {
			break
		}
		if len(s.items) >= s.limit || s.shown >= maxPageBytes {
			s.stopped = len(s.items) < s.limit
			return nil
		}
		s.show(first)
	}
	for first := s.first(); first != nil && len(s.items) < s.limit; first = s.first() {
		s.show(first)
	}
	return nil
}

// fill reads until every stream has its next match or has ended, or a bound is met.
func (s *scan) fill() error {
	for {
		wanting := s.look()
		if len(wanting) == 0 {
			return nil
		}
		full := len(s.items) >= s.limit
		if full && (len(s.filter) > 0 || s.first() != nil) {
			return nil // going on is the next page's
		}
		if s.bytes >= s.c.config.ScanBytes || !time.Now().Before(s.deadline) {
			s.stopped = !full
			return nil
		}
		if err := s.read(wanting); err != nil {
			return err
		}
	}
}

// look finds matches in what was read, and returns the streams that must read on.
func (s *scan) look() []*stream {
	var wanting []*stream
	for _, st := range s.streams {
		for r := st.next(); r != nil && st.head == nil; r = st.next() {
			if m := s.match(r); m != nil {
				st.head = m
			} else {
				st.pass(r.Offset)
			}
		}
		if st.wants() {
			wanting = append(wanting, st)
		}
	}
	return wanting
}

// match is the message as its user may see it, nil where the filter says no.
func (s *scan) match(r *kgo.Record) *api.Message {
	s.scanned++
	m := s.c.see(s.ctx, r)
	if !s.filter.matches(&m) {
		return nil
	}
	record.Cut(&m, s.query.Full)
	return &m
}

// see decodes and masks.
func (c *Cluster) see(ctx context.Context, r *kgo.Record) api.Message {
	m := record.DecodeWith(ctx, c.config.Schemas, r)
	c.config.Mask.Message(ctx, &m)
	return m
}

func (s *scan) first() *stream {
	var first *stream
	for _, st := range s.streams {
		if st.head != nil && (first == nil || st.before(first)) {
			first = st
		}
	}
	return first
}

func (s *scan) show(st *stream) {
	m := st.head
	s.items = append(s.items, *m)
	s.shown += len(m.Value.Text) + len(m.Value.Base64) + len(m.Key.Text)
	st.head = nil
	st.pass(m.Offset)
}

// read asks once for all of those streams.
func (s *scan) read(wanting []*stream) error {
	share := min(max(min(chunkBytes, maxFetchBytes/len(wanting)), chunkMinBytes), s.c.config.ScanBytes)
	asks := make([]ask, len(wanting))
	for i, st := range wanting {
		asks[i] = st.ask(int32(share))
	}
	ctx, cancel := s.c.within(s.ctx)
	defer cancel()
	answers := s.c.fetchPatiently(ctx, s.topic, asks)
	again, bytes, now := false, 0, time.Now()
	for _, answer := range answers {
		bytes += answer.bytes
	}
	s.bytes += bytes
	for _, st := range wanting {
		answer := answers[st.partition]
		if answer.err != nil && s.retries < maxRetries && mendable(answer.err) {
			again = true
			continue // asked again
		}
		if st.got(answer, bytes == 0, now); st.broken != nil {
			s.notes = append(s.notes, fmt.Sprintf("partition %d could not be read: %v", st.partition, s.c.explain("read", st.broken)))
		}
	}
	if err := s.nothing(); err != nil {
		return err
	}
	if again {
		return s.mend(ctx)
	}
	return nil
}

// nothing is an error where what is left cannot be read and nothing was found.
func (s *scan) nothing() error {
	var last error
	for _, st := range s.streams {
		switch {
		case st.broken != nil:
			last = st.broken
		case !st.done():
			return nil
		}
	}
	if len(s.items) > 0 || last == nil {
		return nil
	}
	if err := s.ctx.Err(); err != nil {
		return err
	}
	return s.c.explain("read topic "+s.topic.name, last)
}

func mendable(err error) bool {
	var known *kerr.Error
	return errors.As(err, &known) && (known.Retriable || errors.Is(err, kerr.OffsetOutOfRange) || errors.Is(err, kerr.UnknownTopicID))
}

// mend finds the leaders and the starts of the logs anew.
func (s *scan) mend(ctx context.Context) error {
	s.retries++
	select {
	case <-time.After(time.Duration(s.retries) * 100 * time.Millisecond):
	case <-ctx.Done():
	}
	t, err := s.c.oneTopic(ctx, s.topic.name)
	if err != nil {
		return err
	}
	if t.id != s.topic.id {
		return fmt.Errorf("%w: topic %s was deleted and made anew while it was read: begin again", api.ErrConflict, t.name)
	}
	s.topic = t
	logs, err := s.c.logs(ctx, t, s.query.Partition)
	if err != nil {
		return err
	}
	for _, st := range s.streams {
		if log := logs[st.partition]; log.err == nil && st.head == nil && st.low < log.start {
			s.notes = append(s.notes, fmt.Sprintf("partition %d was cut: it begins at offset %d now", st.partition, log.start))
			st.restart(log.start)
		}
	}
	return nil
}

// result is the page.
func (s *scan) result() api.Messages {
	if slices.ContainsFunc(s.items, func(m api.Message) bool { return m.Timestamp.Before(s.since) }) {
		s.notes = append(s.notes, "some are older than asked for: they come later in the log, from producers whose clocks differ")
	}
	out := api.Messages{Items: s.items, Scanned: s.scanned, Stopped: s.stopped, Note: noteOf(s.notes)}
	if out.Items == nil {
		out.Items = []api.Message{}
	}
	more := false
	next := cursor{back: s.back}
	for _, st := range s.streams {
		more = more || !st.done()
		out.Stopped = out.Stopped || st.broken != nil && !st.done()
		next.offsets = append(next.offsets, st.place())
	}
	if more {
		out.Next = next.encode(s.query)
	}
	if s.back {
		slices.Reverse(out.Items)
	}
	return out
}
