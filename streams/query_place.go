package streams

import (
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/internal/assign"
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/internal/run"
)

// querySource is what queries need of an App.
type querySource interface {
	plan() *plan.Topology
	// Stores of that name in this process; Hosts are all instances, nil before the first
	// assignment.
	Stores(name string) []run.LocalStore
	Hosts() []assign.Host
	// Process is the id of this one among the Hosts.
	Process() string
	// TaskCount of a sub-topology, 0 before Start.
	TaskCount(sub int32) int32
	// Changed is closed at the next change of any of these.
	Changed() <-chan struct{}
	Done() <-chan struct{}
	Err() error
}

// partitionOf is where Kafka's clients put the key.
func partitionOf(key []byte, n int32) int32 {
	return int32(kgo.StickyKeyPartitioner(nil).ForTopic("").Partition(&kgo.Record{Key: key}, int(n)))
}

// Host is an instance of the application.
type Host struct {
	// Endpoint is its Config.Endpoint, InstanceID its Config.InstanceID; "" is none.
	Endpoint   string `json:"endpoint,omitempty"`
	InstanceID string `json:"instanceId,omitempty"`
	// Process is the id that is kept with its stores.
	Process string `json:"process"`
	// Local says that it is this one.
	Local bool `json:"local,omitempty"`
}

// Place is where a partition of a store is.
type Place struct {
	Partition int32 `json:"partition"`
	// Active has the store itself; nil is nobody at the moment.
	Active *Host `json:"active"`
	// Standbys have copies.
	Standbys []Host `json:"standbys,omitempty"`
}

// Metadata says where a key of a store is, given by its bytes. Global stores are everywhere:
// here.
func (a *App) Metadata(store string, key []byte) (Place, error) {
	q, err := newQuery(a.queries(), store, nil)
	if err != nil {
		return Place{}, err
	}
	p, err := q.partitionOf(key)
	if err != nil {
		return Place{}, err
	}
	return q.place(p), nil
}

// Places says where each partition of a store is.
func (a *App) Places(store string) ([]Place, error) {
	q, err := newQuery(a.queries(), store, nil)
	if err != nil {
		return nil, err
	}
	return q.places(), nil
}

func (q *query) places() []Place {
	out := []Place{}
	for p := range q.partitions() {
		out = append(out, q.place(p))
	}
	return out
}

func (q *query) place(p int32) Place {
	out := Place{Partition: p}
	hosts := q.app.Hosts()
	if q.store.Global {
		self := Host{Process: q.app.Process(), Local: true}
		for _, h := range hosts {
			if h.Process == self.Process {
				self = q.host(h)
			}
		}
		out.Active = &self
		return out
	}
	id := q.task(p)
	for _, h := range hosts {
		switch {
		case slices.Contains(h.Active, id):
			host := q.host(h)
			out.Active = &host
		case slices.Contains(h.Standbys, id):
			out.Standbys = append(out.Standbys, q.host(h))
		}
	}
	return out
}

func (q *query) host(h assign.Host) Host {
	return Host{Endpoint: h.Endpoint, InstanceID: h.Instance, Process: h.Process, Local: h.Process == q.app.Process()}
}

func (q *query) task(p int32) plan.TaskID { return plan.TaskID{Sub: q.sub, Partition: p} }

// here returns the partition's store on this instance, and whether it is a copy that may lack
// something. ErrNotReady and ErrElsewhere say why there is none.
func (q *query) here(p int32) (s run.LocalStore, stale bool, err error) {
	found := false
	for _, l := range q.app.Stores(q.store.Name) {
		if !q.store.Global && l.Task != q.task(p) {
			continue
		}
		switch {
		case l.Active && l.Ready:
			return l, false, nil
		case q.stale && l.Lag >= 0 && (q.maxLag < 0 || l.Lag <= q.maxLag):
			s, stale = l, true
		case l.Active || q.stale:
			found = true
		}
	}
	place := q.place(p)
	switch {
	case stale:
		return s, true, nil
	case found && (place.Active == nil || place.Active.Local):
		return s, false, fmt.Errorf("store %s, partition %d: %w: it is being restored", q.store.Name, p, ErrNotReady)
	case place.Active == nil || place.Active.Local:
		return s, false, fmt.Errorf("store %s, partition %d: %w: no instance has it at the moment", q.store.Name, p, ErrNotReady)
	}
	return s, false, elsewhereError{q.store.Name, place}
}

// elsewhereError names the instance.
type elsewhereError struct {
	store string
	place Place
}

func (e elsewhereError) Error() string {
	h := e.place.Active
	at := "without an Endpoint"
	if h.Endpoint != "" {
		at = "at " + h.Endpoint
	}
	return fmt.Sprintf("store %s, partition %d: %v: process %s %s", e.store, e.place.Partition, ErrElsewhere, h.Process, at)
}

func (e elsewhereError) Unwrap() error { return ErrElsewhere }

// ElsewhereOf returns the place that an ErrElsewhere tells of.
func ElsewhereOf(err error) (Place, bool) {
	var e elsewhereError
	ok := errors.As(err, &e)
	return e.place, ok
}
