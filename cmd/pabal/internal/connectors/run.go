package connectors

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/connect"
)

// look is how often it is asked whether something has happened.
const look = 20 * time.Millisecond

// Run creates a connector, or gives it this configuration, and returns when all of it is running. The error says what is wrong with the configuration, or
// why a task failed.
func (s *Server) Run(ctx context.Context, name string, config map[string]string) error {
	if err := s.put(ctx, name, config); err != nil {
		return fmt.Errorf("create the connector %s: %w", name, err)
	}
	return until(ctx, func() (bool, error) {
		if err := s.Failure(name); err != nil {
			return false, err
		}
		state, err := s.worker.Status(name)
		running := err == nil && state.Connector.State == "RUNNING" && len(state.Tasks) > 0
		for _, task := range state.Tasks {
			running = running && task.State == "RUNNING"
		}
		return running, err
	})
}

// Failure is why a connector or one of its tasks has failed; nil where none has.
func (s *Server) Failure(name string) error {
	state, err := s.worker.Status(name)
	if err != nil {
		return err
	}
	for _, unit := range append([]connect.TaskStatus{{UnitStatus: state.Connector}}, state.Tasks...) {
		if unit.State == "FAILED" {
			why, _, _ := strings.Cut(unit.Trace, "\n")
			return fmt.Errorf("the connector %s failed: %s", name, why)
		}
	}
	return nil
}

// put waits until the worker is in its group.
func (s *Server) put(ctx context.Context, name string, config map[string]string) error {
	return until(ctx, func() (bool, error) {
		_, _, err := s.worker.Put(ctx, name, config)
		if errors.Is(err, connect.ErrUnready) {
			return false, nil
		}
		return err == nil, err
	})
}

// Remove a connector; its tasks end with the server at the latest.
func (s *Server) Remove(ctx context.Context, name string) error {
	if err := s.worker.Delete(ctx, name); err != nil {
		return fmt.Errorf("delete the connector %s: %w", name, err)
	}
	return nil
}

func until(ctx context.Context, done func() (bool, error)) error {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}
