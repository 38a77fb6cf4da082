package lens

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// rounds ask for all services, one round at a time. One that takes long because a
// service hangs does not keep those waiting who asked: they get the last answer.
type rounds struct {
	services api.Services
	now      func() time.Time

	running context.Context // between start and stop
	end     context.CancelFunc
	working sync.WaitGroup

	mu    sync.Mutex
	round *round // under way, or the last
	last  *round // the last that got an answer
}

// round asks for all services once.
type round struct {
	done chan struct{}
	at   time.Time
	list []api.Service
	err  error
}

// A round may take longer than those who began it wait; its answer is for later ones.
const (
	roundTime = 5 * time.Second
	roundAge  = time.Second
	lastAge   = time.Minute
)

func (r *rounds) start() { r.running, r.end = context.WithCancel(context.Background()) }

func (r *rounds) stop() {
	r.end()
	r.working.Wait()
}

// list is what the services say; where that takes too long, what they said last.
func (r *rounds) list(ctx context.Context) ([]api.Service, error) {
	one := r.ask()
	select {
	case <-one.done:
		if one.err == nil {
			return one.list, nil
		}
	case <-ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	err := one.err
	if err == nil {
		err = errors.New("no answer in time")
	}
	if r.last == nil || r.now().Sub(r.last.at) > lastAge {
		return nil, fmt.Errorf("the services cannot be asked: %w", err)
	}
	return r.last.list, fmt.Errorf("the services cannot be asked (%w); what they said at %s is shown", err, clock(r.last.at))
}

// ask begins a round, unless there is one under way or a fresh one.
func (r *rounds) ask() *round {
	r.mu.Lock()
	defer r.mu.Unlock()
	if one := r.round; one != nil {
		select {
		case <-one.done:
			if age := r.now().Sub(one.at); one.err == nil && age >= 0 && age < roundAge {
				return one
			}
		default:
			return one
		}
	}
	one := &round{done: make(chan struct{})}
	r.round = one
	r.working.Go(func() {
		ctx, cancel := context.WithTimeout(r.running, roundTime)
		defer cancel()
		list, err := r.services.Services(ctx)
		r.mu.Lock()
		defer r.mu.Unlock()
		one.list, one.err, one.at = list, err, r.now()
		if err == nil {
			r.last = one
		}
		close(one.done)
	})
	return one
}
