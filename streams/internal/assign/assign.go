// Package assign decides which member of an application's consumer group runs which
// task, by the rules of Kafka Streams' assignor for high availability: tasks stay where
// they are, or go where their stores are nearly complete; where balance wants them
// elsewhere, that member fills its stores first, as a warm-up, and gets them after that.
//
// Assign decides and does nothing else. Balancer carries it through the group's protocol.
package assign

import (
	"github.com/pabal-dev/pabal/streams/internal/local"
)

// TaskID is a sub-topology and a partition.
type TaskID = local.TaskID

// Input of a decision.
type Input struct {
	Members []Member
	Tasks   []Task
	// Standbys are the copies of each stateful task, beside the active one, on other processes.
	// There are fewer where there are not enough processes.
	Standbys int
	// AcceptableLag: who lacks at most so many records may take over a task at once.
	AcceptableLag int64
	// MaxWarmups at a time, of all members.
	MaxWarmups int
	// Blind says that lags are not known: Lags only tells who has more than others. Stateful
	// tasks that somebody has are left where they are then.
	Blind bool
}

// Member of the group: a process.
type Member struct {
	// ID is unique. Process is what must not hold two copies of a store.
	ID, Process string
	// Workers is its capacity, at least 1.
	Workers int
	// Active are the tasks that it has now; Standbys those whose stores it follows now, as a
	// standby or warming up.
	Active, Standbys []TaskID
	// Planned are the tasks that the last decision meant for it, whether it got them or not.
	Planned []TaskID
	// Lags are the changelog records that its stores of a task lack. A task that is not
	// in it lacks nothing if it is among Active, else everything.
	Lags map[TaskID]int64
	// Unable are tasks whose topics it does not know.
	Unable map[TaskID]bool
	// Away is a static member that has not come back yet: it keeps what it has, and gets nothing.
	Away bool
}

// Task to be run by one member.
type Task struct {
	ID TaskID
	// Stateful tasks have stores with changelogs; Size is the records of those.
	Stateful bool
	Size     int64
}

// Result of a decision.
type Result struct {
	// Members by ID, every one of them.
	Members map[string]Share
	// Probe asks to decide again after a while: somebody has to fill stores first, or lags
	// were not known.
	Probe bool
}

// Share of one member, each sorted.
type Share struct {
	Active, Standbys []TaskID
	// Warmups are copies that will be active, or a standby, when they are filled.
	Warmups []TaskID
}
