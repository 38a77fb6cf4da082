// Package restore fills the spaces of stores from their changelogs: of tasks that are to
// run, up to the changelog's end, and of standbys, which it keeps following.
//
// It reads with a client of its own, committed records only, and writes big batches
// straight into the spaces, together with the offset; many partitions at a time, and
// within a bound of memory.
package restore

import (
	"log/slog"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// Mode says what to do at the changelog's end.
type Mode int

// The modes.
const (
	// Active ends the job there: the space is its task's.
	Active Mode = iota
	// Standby goes on following, until Promote or Remove.
	Standby
)

// Config of a Restorer.
type Config struct {
	Kafka kafka.Config
	// Group is the application's consumer group, its full name: stores whose changelog is
	// their source topic are filled up to what the group has committed of it, not further.
	Group string
	// DB has the spaces.
	DB *local.DB
	// Memory counts what was fetched and not applied yet; nil does not count. FetchBytes bounds it;
	// 0 is 32 MiB.
	Memory     plan.Memory
	FetchBytes int64
	// Parallel is how many goroutines apply records; 0 is half of GOMAXPROCS, at least one.
	Parallel int
	// Clock is time.Now.
	Clock  func() time.Time
	Logger *slog.Logger
	// Metrics gets counters, with the Application as label; nil is none.
	Metrics     *metrics.Set
	Application string
}

// Spec is one store of one task, and its changelog.
type Spec struct {
	Task  plan.TaskID
	Store *plan.Store
	// Topic is the changelog's full name.
	Topic     string
	Partition int32
	// Space is written by the job alone until it is done or removed.
	Space local.Space
	Mode  Mode
}

// Progress of a job. Offsets count records roughly: transactions and compaction leave gaps.
type Progress struct {
	Task      plan.TaskID
	Store     string
	Topic     string
	Partition int32
	Mode      Mode
	// Begin is the offset it began at, Next the one to be applied next; End is that of the
	// changelog as known now (of a sourced one: what the group has committed). -1 is not
	// known yet.
	Begin, Next, End int64
	// Records applied, tombstones too, since it began.
	Records int64
	// LeftOut are those of Records that cannot be decoded: of a table's topic that is its
	// changelog.
	LeftOut int64
	// Done: the end was reached (of a standby: once).
	Done bool
	// Problem is what keeps it from going on at the moment: no broker, a full disk; it is
	// tried again. nil is none.
	Problem error
}

// Lag is what is missing, at least 0; -1 where the end is not known yet.
func (p Progress) Lag() int64 {
	if p.End < 0 || p.Next < 0 {
		return -1
	}
	return max(p.End-p.Next, 0)
}
