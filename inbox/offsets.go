package inbox

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// housekeeping copies the offsets now and then, and sees whether Kafka is there
// and the topics are the same.
func (s *session) housekeeping(ctx context.Context) {
	copies := time.NewTicker(s.cfg.OffsetCopyInterval)
	defer copies.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-copies.C:
			var all []*partition
			for _, p := range s.snapshot() {
				all = append(all, p)
			}
			s.copyOffsets(ctx, all)
			s.compareTopics(ctx)
		case <-s.suspects:
			s.compareTopics(ctx)
			sleep(ctx, time.Second)
		}
	}
}

// requestTimeout bounds one question to Kafka.
const requestTimeout = 5 * time.Second

// copyOffsets tells the group where the partitions stand, for tools. A failure
// harms nothing.
func (s *session) copyOffsets(ctx context.Context, parts []*partition) {
	offsets := map[string]map[int32]kgo.EpochOffset{}
	for _, p := range parts {
		next, changed := p.toCopy()
		if !changed {
			continue
		}
		if offsets[p.full] == nil {
			offsets[p.full] = map[int32]kgo.EpochOffset{}
		}
		offsets[p.full][p.number] = kgo.EpochOffset{Epoch: -1, Offset: next}
	}
	if len(offsets) == 0 {
		return
	}
	if err := s.commit(ctx, offsets); err != nil {
		if ctx.Err() == nil {
			s.log.Debug("the group's copy of the offsets was not updated", "error", err)
			s.suspect(err)
		}
		return
	}
	for _, p := range parts {
		if o, ok := offsets[p.full][p.number]; ok {
			p.setCopied(o.Offset)
		}
	}
}

func (s *session) commit(ctx context.Context, offsets map[string]map[int32]kgo.EpochOffset) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	var failed error
	s.client.CommitOffsetsSync(ctx, offsets, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
		failed = err
		if err != nil || resp == nil {
			return
		}
		for _, topic := range resp.Topics {
			for _, partition := range topic.Partitions {
				failed = errors.Join(failed, kerr.ErrorForCode(partition.ErrorCode))
			}
		}
	})
	return failed
}

// owns asks the group whether this member still is one, with the generation
// that gave it the partition: only then it accepts an offset from us.
func (s *session) owns(ctx context.Context, p *partition) bool {
	err := s.commit(ctx, map[string]map[int32]kgo.EpochOffset{p.full: {p.number: {Epoch: -1, Offset: p.lastCopied()}}})
	if err != nil && ctx.Err() == nil {
		s.log.Info("the partition was claimed by another process, or the group cannot be asked", "topic", p.topic, "partition", p.number, "error", err)
	}
	return err == nil
}

func (p *partition) toCopy() (next int64, changed bool) {
	t := p.current()
	if t == nil {
		return 0, false
	}
	next = t.next()
	p.mu.Lock()
	defer p.mu.Unlock()
	return next, next != p.copied
}

func (p *partition) setCopied(next int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.copied = next
}

func (p *partition) lastCopied() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.copied
}

// look asks Kafka for the topic's id and the offsets the partition has.
func (p *partition) look(ctx context.Context) (id string, log bounds, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	admin := kadm.NewClient(p.admin)
	ids, err := p.topicIDs(ctx, p.full)
	if err != nil {
		return "", bounds{}, err
	}
	start, err := admin.ListStartOffsets(ctx, p.full)
	if err != nil {
		return "", bounds{}, fmt.Errorf("list start offsets: %w", err)
	}
	end, err := admin.ListEndOffsets(ctx, p.full)
	if err != nil {
		return "", bounds{}, fmt.Errorf("list end offsets: %w", err)
	}
	first, okFirst := start.Lookup(p.full, p.number)
	last, okLast := end.Lookup(p.full, p.number)
	if err := errors.Join(first.Err, last.Err); err != nil || !okFirst || !okLast {
		return "", bounds{}, fmt.Errorf("list offsets of %s/%d: it is not there, or %w", p.full, p.number, err)
	}
	return ids[p.full], bounds{first.Offset, last.Offset}, nil
}

// topicIDs are in hexadecimal.
func (r *runner) topicIDs(ctx context.Context, topics ...string) (map[string]string, error) {
	details, err := kadm.NewClient(r.admin).ListTopics(ctx, topics...)
	if err != nil {
		return nil, fmt.Errorf("read the topics: %w", err)
	}
	ids := map[string]string{}
	for _, topic := range topics {
		if d, ok := details[topic]; !ok || d.Err != nil {
			return nil, fmt.Errorf("read topic %s: %w", topic, errors.Join(errNoTopic, d.Err))
		}
		ids[topic] = topicID(details[topic].ID)
	}
	return ids, nil
}

// suspect has the topics looked at where an error may mean that one is not what
// it was.
func (s *session) suspect(err error) {
	if !errors.Is(err, kerr.UnknownTopicID) && !errors.Is(err, kerr.UnknownTopicOrPartition) {
		return
	}
	select {
	case s.suspects <- struct{}{}:
	default:
	}
}

// awaitTopics makes the client look for topics that do not exist yet sooner
// than it would by itself. It returns when all are there.
func (s *session) awaitTopics(ctx context.Context) {
	for known := -1; ctx.Err() == nil; sleep(ctx, time.Second/4) {
		details, err := kadm.NewClient(s.admin).ListTopics(ctx, s.fullTopics()...)
		if err != nil {
			continue
		}
		n := 0
		for _, topic := range details {
			if topic.Err == nil {
				n++
			}
		}
		if known >= 0 && n != known {
			s.client.ForceMetadataRefresh()
		}
		if known = n; known == len(s.cfg.Topics)+len(s.cfg.Groups) {
			return
		}
	}
}

var errNoTopic = errors.New("it does not exist")

func topicID(id [16]byte) string { return hex.EncodeToString(id[:]) }

// compareTopics asks for a new session where a topic has another id than the
// one that was claimed. kgo does not tell while no broker answers; this does.
func (s *session) compareTopics(parent context.Context) {
	ctx, cancel := context.WithTimeout(parent, requestTimeout)
	defer cancel()
	details, err := kadm.NewClient(s.admin).ListTopics(ctx, s.fullTopics()...)
	if err != nil {
		if parent.Err() == nil {
			s.health.Report(reachingKafka, fmt.Errorf("%w: %w", kafka.ErrUnreachable, err))
		}
		return
	}
	s.health.Solve(reachingKafka)
	for tp, p := range s.snapshot() {
		t, d := p.current(), details[tp.topic]
		if t != nil && d.Err == nil && d.Topic == tp.topic && topicID(d.ID) != t.claim.TopicID {
			s.renewFor(fmt.Errorf("%w: %s", errTopicRecreated, tp.topic))
			return
		}
	}
}

const reachingKafka = "reaching Kafka"
