package assign

import (
	"context"
	"log/slog"
	"time"
)

// Config of a Balancer. Everything is required unless it says otherwise.
type Config struct {
	// Layout says which tasks there are. It is called by the leader, with the partitions
	// of all topics that members read; an error leaves the group as it is, to be tried again.
	Layout func(partitions map[string]int32) ([]Definition, error)
	// Subscription says what this member has. It is called for each join, also while tasks run.
	Subscription func() Subscription
	// Ends returns the sum of the ends of each stateful task's changelogs. It is called by
	// the leader, who decides without where it fails or takes longer than EndsTimeout (0: 10 s).
	Ends        func(ctx context.Context) (map[TaskID]int64, error)
	EndsTimeout time.Duration
	// OnAssignment is told of what this member got, before the client revokes and assigns
	// partitions by it. Called by one goroutine at a time; it must not wait for the client.
	OnAssignment func(Assignment)

	Standbys      int
	AcceptableLag int64
	MaxWarmups    int
	// ProbeInterval is when to decide again while stores are being filled.
	ProbeInterval time.Duration
	Logger        *slog.Logger
}

// Definition is a task and the partitions it reads.
type Definition struct {
	ID       TaskID
	Stateful bool
	Inputs   []TopicPartition
}

// TopicPartition has a topic's full name.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// Subscription is what a member tells the leader, beside the partitions it has.
type Subscription struct {
	// Process is the id of the process's stores.
	Process string
	// Endpoint for queries; "" has none.
	Endpoint string
	Workers  int
	// Standbys and warm-ups that are followed now.
	Standbys []TaskID
	// Offsets are the sums of Space.Offset over the logged stores on this process (0 for one
	// that was never written) of each task that has any: running standbys, what is left on
	// disk, and active tasks that are still being restored. Tasks that run are left out.
	Offsets map[TaskID]int64
	// Shutdown asks every instance to stop.
	Shutdown bool
	// Static members in the last assignment that this one got, without what queries need, for
	// a leader that did not get it. The Balancer knows them.
	Static []Host
}

// Assignment is what a member got.
type Assignment struct {
	// Active are the tasks it has from now on, with all partitions.
	Active []TaskID
	// Pending tasks will be this member's when others have given them up. Those with stores
	// are among Warmups as well.
	Pending []TaskID
	// Standbys and Warmups are the stores to follow. One that is active now is to be
	// followed when its partitions have been revoked.
	Standbys, Warmups []TaskID
	// Hosts are all members, this one too, in a fixed order.
	Hosts []Host
	// Shutdown: a member asked every instance to stop.
	Shutdown bool
	// Probe is when this member is to ask for the next rebalance; 0 is never.
	Probe time.Duration
}

// static members of an assignment, which may be nil.
func (a *Assignment) static() (out []Host) {
	if a == nil {
		return nil
	}
	for _, h := range a.Hosts {
		if h.Instance != "" {
			out = append(out, h)
		}
	}
	return out
}

// Host is a member as others see it.
type Host struct {
	// Member is the id in the group; Instance that of a static member.
	Member, Instance string
	Process          string
	Endpoint         string
	// Active tasks, Pending and Standbys (warm-ups too) of it, as in Assignment.
	Active, Pending, Standbys []TaskID
}
