package sink

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	readingProblem = "reading from Kafka"
	targetProblem  = "the target"
	firstBackoff   = 50 * time.Millisecond
	// parallel steps in the target.
	parallel = 4
)

// run is the one goroutine.
func (s *Sink) run() {
	defer close(s.done)
	defer s.counts.hide()
	for {
		why := s.session()
		s.leave()
		if s.life.Err() != nil {
			return
		}
		s.cfg.Logger.Error("sink: "+why+": a new client begins", "sink", s.cfg.Name, "topic", s.topic)
		client, err := s.connect()
		if err != nil { // it was fine before
			s.failed(readingProblem, err)
			return
		}
		s.client = client
	}
}

// leaveTimeout bounds the farewell to the group; who has not left is missed after the session's time-out.
const leaveTimeout = 5 * time.Second

func (s *Sink) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), leaveTimeout)
	defer cancel()
	s.client.AllowRebalance()
	if err := s.client.Leave(ctx); err != nil {
		s.cfg.Logger.Warn("sink: it could not leave its group; its partitions move after the session's time-out", "sink", s.cfg.Name, "error", err)
	}
	s.client.Close()
}

const (
	// firstStall is how long a partition has records that do not come before the client is
	// taken to be broken.
	firstStall   = 20 * time.Second
	longestStall = 10 * time.Minute
)

// session works with one client, until the life ends or the client is of no use any more. A
// rebalance may come at any time but while poll has what it read.
func (s *Sink) session() (why string) {
	checked := time.Time{}
	for s.life.Err() == nil {
		parts := s.mine()
		if time.Since(checked) >= s.cfg.CheckInterval || anyUnknown(parts) {
			before := s.id
			s.check(parts)
			if before != s.id && before != (kadm.TopicID{}) {
				return "the topic was made anew. All of it is applied; what only the old one had stays in the target"
			}
			if s.stalled(parts) {
				s.stall = min(2*s.stall, longestStall)
				return "Kafka has records that the client does not deliver"
			}
			checked = time.Now()
		}
		s.apply(parts)
		s.poll(parts)
		s.client.AllowRebalance()
	}
	return ""
}

// stalled says that a partition has more, and nothing comes.
func (s *Sink) stalled(parts []*part) bool {
	for _, p := range parts {
		switch {
		case !p.known || p.stuck || len(p.pending) > 0 || p.next >= p.end:
			p.idle = time.Time{}
		case p.idle.IsZero() || p.idleAt != p.next:
			p.idle, p.idleAt = time.Now(), p.next
		case time.Since(p.idle) > s.stall:
			return true
		}
	}
	return false
}

func anyUnknown(parts []*part) bool {
	for _, p := range parts {
		if !p.known && !time.Now().Before(p.retry) {
			return true
		}
	}
	return false
}

// check looks where the target stands, and goes on from there.
func (s *Sink) check(parts []*part) {
	if len(parts) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(s.life, s.cfg.Timeout)
	defer cancel()
	var numbers []int32
	for _, p := range parts {
		numbers = append(numbers, p.number)
	}
	begins, ends, err := s.bounds(ctx)
	if err != nil {
		s.unplaced(parts, readingProblem, err)
		return
	}
	at, err := s.target.Positions(ctx, s.cfg.Name, s.place(), numbers)
	if err != nil {
		s.unplaced(parts, targetProblem, err)
		return
	}
	s.problems.Solve(targetProblem)
	s.problems.Solve(readingProblem)
	for _, p := range parts {
		stored, ok := at[p.number]
		if !ok {
			stored = None
		}
		s.goOn(p, stored, begins[p.number], ends[p.number])
	}
}

// unplaced: what is not known yet stays so for a while.
func (s *Sink) unplaced(parts []*part, what string, err error) {
	s.failed(what, err)
	for _, p := range parts {
		if !p.known {
			s.wait(p)
		}
	}
}

// place tells the topic's positions in the target from those of others, also of one of the same
// name that was there before.
func (s *Sink) place() string {
	if s.id == (kadm.TopicID{}) {
		return s.topic // a broker that knows no ids
	}
	return s.topic + " " + s.id.String()
}

// bounds of the partitions: the offsets of what there is to be read.
func (s *Sink) bounds(ctx context.Context) (begins, ends map[int32]int64, err error) {
	begins, ends = map[int32]int64{}, map[int32]int64{}
	admin := kadm.NewClient(s.client.Client)
	topics, err := admin.ListTopics(ctx, s.topic)
	if err == nil {
		err = topics.Error()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("look up %s: %w", s.topic, err)
	}
	s.id = topics[s.topic].ID
	first, err := admin.ListStartOffsets(ctx, s.topic)
	if err == nil {
		err = first.Error()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("look up where %s begins: %w", s.topic, err)
	}
	last, err := admin.ListCommittedOffsets(ctx, s.topic)
	if err == nil {
		err = last.Error()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("look up where %s ends: %w", s.topic, err)
	}
	for n, o := range first[s.topic] {
		begins[n] = o.Offset
	}
	for n, o := range last[s.topic] {
		ends[n] = o.Offset
	}
	return begins, ends, nil
}

// goOn reads on from where the target stands, unless that is where it was left.
func (s *Sink) goOn(p *part, stored, begin, end int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.begin, p.end = begin, end
	if p.known && p.stored == stored {
		return
	}
	next := stored
	switch {
	case stored == None:
		next = begin
	case stored > end:
		s.cfg.Logger.Warn("sink: the target is ahead of the topic, which lost records: all of it is applied again",
			"sink", s.cfg.Name, "topic", s.topic, "partition", p.number, "position", stored, "end", end)
		next = begin
	case stored < begin:
		s.cfg.Logger.Warn("sink: records were deleted before they were applied",
			"sink", s.cfg.Name, "topic", s.topic, "partition", p.number, "position", stored, "begin", begin)
		next = begin
	}
	if p.known && (stored < p.stored) || stored > end {
		s.counts.resyncs.Add(1)
		if p.known {
			s.cfg.Logger.Warn("sink: the target has lost what was applied; it is filled again",
				"sink", s.cfg.Name, "partition", p.number, "had", p.stored, "has", stored)
		}
	}
	p.known, p.stored, p.next, p.pending, p.stuck = true, stored, next, nil, false
	p.failures, p.retry = 0, time.Time{}
	s.problems.Solve(partProblem(p.number)) // there may be nothing left to apply
	s.seek(p)
	s.client.ResumeFetchPartitions(map[string][]int32{s.topic: {p.number}})
}

func (s *Sink) seek(p *part) {
	s.client.SetOffsets(map[string]map[int32]kgo.EpochOffset{s.topic: {p.number: {Epoch: -1, Offset: p.next}}})
}

func (s *Sink) failed(what string, err error) {
	if s.life.Err() == nil {
		s.problems.Report(what, err)
	}
}

// partFailed reports it, unless the partition is another's by now, where nobody would solve it.
func (s *Sink) partFailed(p *part, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.parts[p.number] == p {
		s.failed(partProblem(p.number), err)
	}
}

// wait before the next attempt, longer each time.
func (s *Sink) wait(p *part) {
	p.failures++
	d := min(firstBackoff<<min(p.failures-1, 10), s.cfg.MaxBackoff)
	p.retry = time.Now().Add(d)
}

// poll reads. Partitions of which something is not applied yet are paused.
func (s *Sink) poll(parts []*part) {
	wait := s.cfg.CheckInterval
	for _, p := range parts {
		if (len(p.pending) > 0 || !p.known) && !p.stuck {
			wait = min(wait, time.Until(p.retry))
		}
	}
	if len(parts) == 0 {
		wait = min(wait, 100*time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(s.life, max(wait, time.Millisecond))
	defer cancel()
	fetches := s.client.PollRecords(ctx, s.cfg.BatchSize*parallel)
	if fetches.NumRecords() > 0 {
		s.stall = firstStall
	}
	byNumber := map[int32]*part{}
	for _, p := range s.mine() {
		byNumber[p.number] = p
	}
	fetches.EachPartition(func(f kgo.FetchTopicPartition) {
		if f.Err != nil && !errors.Is(f.Err, context.DeadlineExceeded) && !errors.Is(f.Err, context.Canceled) {
			s.failed(readingProblem, f.Err)
		}
		if p := byNumber[f.Partition]; p != nil && p.known {
			s.mu.Lock()
			if p.take(f.Records) {
				s.seek(p)
			}
			s.mu.Unlock()
		}
	})
}

// take leaves out what was read before a change of place. behind says that the client reads
// there still: it does not listen before it knows the partition.
func (p *part) take(records []*kgo.Record) (behind bool) {
	for _, r := range records {
		if r.Offset >= p.next {
			p.pending = append(p.pending, r)
			p.next = r.Offset + 1
		}
	}
	return len(records) > 0 && records[len(records)-1].Offset < p.next-1
}
