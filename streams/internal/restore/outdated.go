package restore

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// Kafka's default of delete.retention.ms, for where the broker does not tell.
const defaultKeeps = 24 * time.Hour

// outdated says why deletions may be missing. A compacted changelog keeps a tombstone for
// delete.retention.ms: a space that was away for longer may not find it any more, and would
// keep for good what it deleted. One that lacks nothing is good however old it is, and so is one
// that lacks only the last offset: compaction leaves that (mostly it is the end of the transaction
// that the space has).
func (j *Job) outdated(at int64, p place) string {
	since := j.since()
	if since.IsZero() || p.keeps < 0 || at >= p.end-1 {
		return ""
	}
	if j.of.cfg.Clock().Sub(since) < p.keeps-margin(p.keeps) {
		return ""
	}
	return fmt.Sprintf("the store had the whole changelog last at %s and lacks offsets %d to %d of it, which keeps deletions for %s (delete.retention.ms): some may be missing",
		since.UTC().Format(time.RFC3339), at, p.end-1, p.keeps)
}

// margin of safety: an hour, of short times a tenth.
func margin(keeps time.Duration) time.Duration { return min(keeps/10, time.Hour) }

// since is when the space had the whole changelog, or the job read it last; zero is not known.
func (j *Job) since() time.Time {
	since := j.spec.Space.Mark().AsOf
	if j.heard.After(since) {
		since = j.heard
	}
	return since
}

// lagging are the topics of those jobs whose age is to be looked at.
func (r *Restorer) lagging(jobs []*Job, ends kadm.ListedOffsets) (topics []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, j := range jobs {
		at, ok := j.spec.Space.Offset()
		end, _ := ends.Lookup(j.spec.Topic, j.spec.Partition)
		if ok && !j.vetted && at < end.Offset-1 && !j.since().IsZero() {
			topics = append(topics, j.spec.Topic)
		}
	}
	slices.Sort(topics)
	return slices.Compact(topics)
}

// askKeeps asks how long topics keep tombstones, those left out that are not compacted.
func (r *Restorer) askKeeps(ctx context.Context, topics []string) (map[string]time.Duration, error) {
	if len(topics) == 0 {
		return nil, nil
	}
	configs, err := r.admin.DescribeTopicConfigs(ctx, topics...)
	if err != nil {
		return nil, fmt.Errorf("configuration of changelogs: %w", err)
	}
	out := map[string]time.Duration{}
	for _, c := range configs {
		if keeps, ok := keepsOf(c); ok {
			out[c.Name] = keeps
		}
	}
	return out, nil
}

func keepsOf(c kadm.ResourceConfig) (keeps time.Duration, compacted bool) {
	keeps, compacted = defaultKeeps, true // also where the broker refuses to tell
	for _, config := range c.Configs {
		switch config.Key {
		case "cleanup.policy":
			compacted = strings.Contains(config.MaybeValue(), "compact")
		case "delete.retention.ms":
			if ms, err := strconv.ParseInt(config.MaybeValue(), 10, 64); err == nil && ms >= 0 {
				keeps = time.Duration(min(ms, int64(maxKeeps/time.Millisecond))) * time.Millisecond
			}
		}
	}
	return keeps, compacted
}

// maxKeeps is for ever.
const maxKeeps = 1 << 62 * time.Nanosecond
