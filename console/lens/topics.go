package lens

import (
	"context"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/inbox"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// selects says whether a topic, by its name without the prefix, is indexed.
func (s Topics) selects(name string) bool {
	matches := func(pattern string) bool {
		ok, _ := path.Match(pattern, name) // New checked the patterns
		return ok
	}
	if strings.HasPrefix(name, "__") || strings.HasPrefix(name, "pabal.") || slices.ContainsFunc(s.Exclude, matches) {
		return false
	}
	return len(s.Include) == 0 || slices.ContainsFunc(s.Include, matches)
}

// lookShare bounds what looking for topics costs: at most one part of the time.
const lookShare = 20

// lookAtTopics begins to read new partitions, forgets those that are gone, and
// asks for the ends of all, now and then.
func (t *tail) lookAtTopics(ctx context.Context) {
	if time.Since(t.looked) < t.wait {
		return
	}
	began := time.Now()
	asked, cancel := context.WithTimeout(ctx, askKafka)
	defer cancel()
	err := t.look(asked)
	t.looked = time.Now()
	t.wait = max(t.config.TopicsEvery, lookShare*time.Since(began))
	if ctx.Err() == nil {
		t.report(err)
	}
}

func (t *tail) look(ctx context.Context) error {
	found, err := t.topics(ctx)
	if err != nil {
		return fmt.Errorf("listing topics: %w", err)
	}
	t.learn(found)
	t.dropGone(found)
	if len(found) == 0 {
		return nil
	}
	return t.place(ctx, found)
}

// topics are those to be read, by full name.
func (t *tail) topics(ctx context.Context) (kadm.TopicDetails, error) {
	all, err := t.admin.ListTopics(ctx)
	if err != nil {
		return nil, err
	}
	for name, detail := range all {
		ours := strings.HasPrefix(name, t.kafka.Prefix)
		if detail.Err != nil || !ours || !t.config.Topics.selects(t.kafka.Local(name)) {
			delete(all, name)
		}
	}
	return all, nil
}

func topicID(id kadm.TopicID) string { return hex.EncodeToString(id[:]) }

// learn notes the topics' ids for others.
func (t *tail) learn(found kadm.TopicDetails) {
	known := make(map[string]string, len(found))
	for name, d := range found {
		known[name] = topicID(d.ID)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.known = known
}

// current says whether a consumer's position is of this cluster, and of the topic as
// it is now, as far as that is known.
func (t *tail) current(p inbox.Position) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	id := t.known[t.kafka.Topic(p.Topic)]
	return (t.bound == "" || p.Cluster == t.bound) && (id == "" || p.TopicID == id)
}

// dropGone forgets partitions of topics that were deleted, or made again.
func (t *tail) dropGone(found kadm.TopicDetails) {
	purge := map[string]bool{}
	for key, r := range t.parts {
		if d, ok := found[key.topic]; ok && topicID(d.ID) == r.topicID {
			continue
		}
		delete(t.parts, key)
		delete(t.changed, key)
		t.dropped = append(t.dropped, key)
		purge[key.topic] = true
	}
	for name := range purge {
		t.client.PurgeTopicsFromConsuming(name)
	}
}

// place asks for the bounds of the topics, and begins to read what is new or lost.
func (t *tail) place(ctx context.Context, found kadm.TopicDetails) error {
	names := found.Names()
	ends, err := t.admin.ListCommittedOffsets(ctx, names...)
	if err != nil {
		return fmt.Errorf("asking for the ends of topics: %w", err)
	}
	fresh := t.unplaced(found)
	if len(fresh) == 0 {
		t.heard(ends)
		return nil
	}
	starts, err := t.admin.ListStartOffsets(ctx, fresh...)
	if err != nil {
		return fmt.Errorf("asking for the starts of topics: %w", err)
	}
	since, err := t.admin.ListOffsetsAfterMilli(ctx, t.index.since().UnixMilli(), fresh...)
	if err != nil {
		return fmt.Errorf("asking for the offsets of a time: %w", err)
	}
	b := bounds{starts, since, ends, 1}
	b.share = t.share(found, fresh, b)
	t.read(found, fresh, b)
	t.heard(ends)
	return nil
}

// unplaced are topics with a partition that is not read.
func (t *tail) unplaced(found kadm.TopicDetails) (names []string) {
	for name, d := range found {
		for number := range d.Partitions {
			if r := t.parts[partitionKey{name, number}]; r == nil || r.lost {
				names = append(names, name)
				break
			}
		}
	}
	return names
}

// bounds of partitions, as Kafka told them.
type bounds struct {
	starts, since, ends kadm.ListedOffsets
	// share of the window's records that is read, of partitions that are new; 1
	// where they are not too many.
	share float64
}

func offsetOf(l kadm.ListedOffsets, key partitionKey) (int64, bool) {
	o, ok := l.Lookup(key.topic, key.number)
	return o.Offset, ok && o.Err == nil && o.Offset >= 0
}

func (t *tail) read(found kadm.TopicDetails, names []string, b bounds) {
	begin, end := map[string]map[int32]kgo.Offset{}, map[string][]int32{}
	for _, name := range names {
		for number := range found[name].Partitions {
			key := partitionKey{name, number}
			before := t.parts[key]
			if before != nil && !before.lost {
				continue
			}
			r, ok := t.placed(key, topicID(found[name].ID), b)
			if !ok {
				continue // without a leader for now
			}
			if before != nil {
				end[name] = append(end[name], number)
			}
			if begin[name] == nil {
				begin[name] = map[int32]kgo.Offset{}
			}
			begin[name][number] = kgo.NewOffset().At(r.next)
			t.parts[key], t.changed[key] = r, true
			delete(t.stored, key)
		}
	}
	if len(end) > 0 {
		t.client.RemoveConsumePartitions(end)
	}
	if len(begin) > 0 {
		t.client.AddConsumePartitions(begin)
	}
}

// share keeps what is read at the beginning within the bound from which on reading
// would skip, the same part of each partition.
func (t *tail) share(found kadm.TopicDetails, names []string, b bounds) float64 {
	total := int64(0)
	for _, name := range names {
		for number := range found[name].Partitions {
			key := partitionKey{name, number}
			since, ok1 := offsetOf(b.since, key)
			end, ok2 := offsetOf(b.ends, key)
			if ok1 && ok2 && t.parts[key] == nil {
				total += max(0, end-since)
			}
		}
	}
	most := min(t.config.MaxEvents, t.config.MaxBehind/near*(near-1))
	if total <= most {
		return 1
	}
	return float64(most) / float64(total)
}

// placed is where to begin: where reading had come to, else where the window
// begins, or later where that is too much at a time.
func (t *tail) placed(key partitionKey, id string, b bounds) (*reading, bool) {
	start, ok1 := offsetOf(b.starts, key)
	last, ok2 := offsetOf(b.ends, key)
	if !ok1 || !ok2 {
		return nil, false
	}
	next, resumed := int64(0), true
	switch before := t.parts[key]; {
	case before != nil:
		next = before.next
	case t.stored[key].topicID == id:
		next = t.stored[key].next
	default:
		resumed = false
		if next, ok1 = offsetOf(b.since, key); !ok1 {
			next = last
		}
		next = last - int64(float64(last-next)*b.share)
	}
	from := min(max(next, start), last)
	if resumed && from > next {
		t.leaveGap(key, next, from)
	}
	return &reading{topicID: id, next: from, end: last, tailing: from == last}, true
}

func (t *tail) heard(ends kadm.ListedOffsets) {
	for key, r := range t.parts {
		if end, ok := offsetOf(ends, key); ok {
			r.end = max(r.end, end)
		}
	}
	t.measure()
}
