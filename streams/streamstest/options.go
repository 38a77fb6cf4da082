package streamstest

import (
	"time"

	"github.com/pabal-dev/pabal/streams"
)

// Option of New.
type Option func(*settings)

type settings struct {
	config      streams.Config
	start       time.Time
	commitEvery int
	partitions  int32
	topics      map[string]int32
}

// WithConfig runs with an application's Config. These count: ApplicationID (default
// "streamstest"), Kafka.Prefix, Guarantee, MaxTaskIdle, IdleWindowClose, CacheBytes,
// OnFailure, DeadLetterTopic and Logger.
func WithConfig(c streams.Config) Option { return func(s *settings) { s.config = c } }

// WithClock begins with that wall clock; the default is 2020-01-01 UTC.
func WithClock(start time.Time) Option { return func(s *settings) { s.start = start } }

// WithCommitEvery commits after n records processed instead of after each. Outputs are seen,
// and internal topics are read, when they are committed; Commit, Advance, Restart and Close
// commit too.
func WithCommitEvery(n int) Option { return func(s *settings) { s.commitEvery = max(n, 1) } }

// WithPartitions gives these topics (local names) n partitions; without a topic, all that are
// not named and have no number in the topology. Records go to the partition of their key,
// as in Kafka.
func WithPartitions(n int32, topics ...string) Option {
	return func(s *settings) {
		if len(topics) == 0 {
			s.partitions = n
		}
		for _, t := range topics {
			s.topics[t] = n
		}
	}
}
