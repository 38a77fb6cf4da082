package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// errReadBack: the position cannot be read yet.
var errReadBack = errors.New("the position cannot be read back")

// readBackTimeout bounds one try: longer than Kafka needs to abort another
// relay's transaction (its time-out and the interval at which it looks).
const readBackTimeout = 45 * time.Second

// readBack returns the outbox's position in the log as it is once begin has
// returned; found is false where there is none.
//
// The topic is shared: another relay's open transaction hides everything
// behind its beginning from a read_committed reader. So the high watermark is
// taken first, and nothing is believed until the last stable offset has
// reached it.
func (s *session) readBack(ctx context.Context) (p position, found bool, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, readBackTimeout,
		fmt.Errorf("%w within %s: is a transaction of another relay open on %s?", errReadBack, readBackTimeout, s.cluster.Topic(PositionTopic)))
	defer cancel()
	start, end, err := s.committedRange(ctx)
	if err != nil || start >= end {
		return position{}, false, err
	}
	value, found, err := s.lastValue(ctx, start, end)
	if err != nil || !found {
		return position{}, false, err
	}
	p, err = decodePosition(value)
	return p, true, err
}

// committedRange is what to read: from the place the receipt names (an older
// position of this outbox, or the partition's start) to the high watermark,
// once no transaction is open before that.
func (s *session) committedRange(ctx context.Context) (start, end int64, err error) {
	admin := kadm.NewClient(s.client)
	if start, err = s.offset(ctx, admin.ListStartOffsets); err != nil {
		return 0, 0, err
	}
	if end, err = s.offset(ctx, admin.ListEndOffsets); err != nil {
		return 0, 0, err
	}
	for wait := 2 * time.Millisecond; ; wait = min(2*wait, 200*time.Millisecond) {
		stable, err := s.offset(ctx, admin.ListCommittedOffsets)
		if err != nil {
			return 0, 0, err
		}
		if stable >= end {
			return max(start, s.place.Offset), end, nil
		}
		if !pause(ctx, wait, nil) {
			return 0, 0, context.Cause(ctx)
		}
	}
}

type lister func(ctx context.Context, topics ...string) (kadm.ListedOffsets, error)

func (s *session) offset(ctx context.Context, list lister) (int64, error) {
	name := s.cluster.Topic(PositionTopic)
	offsets, err := list(ctx, name)
	if err != nil {
		return 0, fmt.Errorf("offsets of %s: %w", name, err)
	}
	listed, ok := offsets.Lookup(name, s.place.Partition)
	if !ok {
		return 0, fmt.Errorf("offsets of %s: no partition %d", name, s.place.Partition)
	}
	if listed.Err != nil {
		return 0, fmt.Errorf("offsets of %s: %w", name, listed.Err)
	}
	return listed.Offset, nil
}

// lastValue reads [start, end) and returns the last record of this outbox.
// Control records are kept so that the end is seen even where nothing but an
// aborted transaction stands before it.
func (s *session) lastValue(ctx context.Context, start, end int64) (value []byte, found bool, err error) {
	name := s.cluster.Topic(PositionTopic)
	reader, err := kafka.NewClient(s.cluster, append([]kgo.Opt{
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{name: {s.place.Partition: kgo.NewOffset().At(start)}}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(),
		kgo.FetchMaxWait(100 * time.Millisecond),
		kgo.DisableClientMetrics(),
	}, s.extra...)...)
	if err != nil {
		return nil, false, err
	}
	defer reader.Close()
	for next := start; next < end; {
		fetches := reader.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil, false, context.Cause(ctx)
		}
		if err := fetches.Err(); err != nil {
			return nil, false, fmt.Errorf("reading %s: %w", name, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			next = r.Offset + 1
			if !r.Attrs.IsControl() && string(r.Key) == s.outbox && r.Offset < end {
				value, found, s.place.Offset = r.Value, true, r.Offset
			}
		})
	}
	return value, found, nil
}
