package streams

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// Errors of queries.
var (
	// ErrNoStore: the topology has no store of that name, or one of another kind or type.
	ErrNoStore = errors.New("no such store")
	// ErrNotReady: the store is being restored, or its partition is changing hands. It
	// passes; see AllowStale.
	ErrNotReady = errors.New("the store is not ready")
	// ErrElsewhere: another instance has the key. Errors that wrap it tell which; see Routed.
	ErrElsewhere = errors.New("the key is on another instance")
	// ErrUnreachable: the instance that has the key does not answer.
	ErrUnreachable = errors.New("the instance does not answer")
)

// QueryOption is one of AllowStale and Routed.
type QueryOption func(*queryOptions)

type queryOptions struct {
	stale  bool
	maxLag int64 // negative: any
	routed bool
	client *http.Client
}

// AllowStale reads copies as well where the active store is not to be had: a standby, or
// one that is being restored. maxLag is how many changelog records a copy may lack; negative
// is any number.
func AllowStale(maxLag int64) QueryOption {
	return func(o *queryOptions) { o.stale, o.maxLag = true, maxLag }
}

// Routed asks the instance that has the key where it is not this one, over HTTP at its
// Config.Endpoint, which must lead to its App.Handler. client may add what that demands, such
// as credentials; nil is one with a timeout of 10 s.
func Routed(client *http.Client) QueryOption {
	if client == nil {
		client = &http.Client{Timeout: 10 * time.Second}
	}
	return func(o *queryOptions) { o.routed, o.client = true, client }
}

// query reads one store of a topology, wherever its partitions are.
type query struct {
	queryOptions
	app   querySource
	store *plan.Store
	sub   int32 // sub-topology; unused where the store is global
}

func newQuery(app querySource, name string, opts []QueryOption) (*query, error) {
	q := &query{app: app}
	for _, o := range opts {
		o(&q.queryOptions)
	}
	t := app.plan()
	for _, sub := range t.Subs {
		for _, s := range sub.Stores {
			if s.Name == name {
				q.store, q.sub = s, sub.ID
			}
		}
	}
	for _, g := range t.Globals {
		if g.Store.Name == name {
			q.store = g.Store
		}
	}
	if q.store == nil {
		return nil, fmt.Errorf("%w: %q", ErrNoStore, name)
	}
	return q, nil
}

// waitReady returns when every partition of the store is known, and those of this instance
// can be read. It returns ctx's error, with what was missing, and an error of the App where
// that ends before.
func (q *query) waitReady(ctx context.Context) error {
	for {
		changed := q.app.Changed()
		err := q.ready()
		if err == nil {
			return nil
		}
		select {
		case <-changed:
		case <-q.app.Done():
			return fmt.Errorf("store %s: %w", q.store.Name, cmp.Or(q.app.Err(), errors.New("the App has ended")))
		case <-ctx.Done():
			return fmt.Errorf("store %s: %w: %w", q.store.Name, ctx.Err(), err)
		}
	}
}

func (q *query) ready() error {
	n := q.partitions()
	if n == 0 {
		return fmt.Errorf("%w: the App has not started", ErrNotReady)
	}
	for p := range n {
		_, _, err := q.here(p)
		if errors.Is(err, ErrElsewhere) {
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// partitions of the store; 0 is not known yet. A global store has one.
func (q *query) partitions() int32 {
	if !q.store.Global {
		return q.app.TaskCount(q.sub)
	}
	if len(q.app.Stores(q.store.Name)) == 0 {
		return 0
	}
	return 1
}

// partitionOf a key's bytes.
func (q *query) partitionOf(key []byte) (int32, error) {
	n := q.partitions()
	if n == 0 {
		return 0, fmt.Errorf("store %s: %w: the App has not started", q.store.Name, ErrNotReady)
	}
	if q.store.Global {
		return 0, nil
	}
	return partitionOf(key, n), nil
}

// viewOf makes the typed store over a reader.
func viewOf[S any](q *query, r local.Reader, as func(any) (S, bool)) (S, error) {
	made, err := q.store.View(r)
	if err != nil {
		var none S
		return none, fmt.Errorf("store %s: %w", q.store.Name, err)
	}
	s, ok := as(made)
	if !ok {
		return s, fmt.Errorf("%w: store %s is a %s store of other types (%T)", ErrNoStore, q.store.Name, q.store.Kind, made)
	}
	return s, nil
}
