package sagas

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dbos-inc/dbos-transact-golang/dbos"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pabal-dev/pabal/bench/measure"
)

// dbosSagas runs each saga as a workflow of DBOS Transact for Go with three steps.
// A step's effect is a transaction of its own, and may be repeated after a crash; so
// it looks first whether it is there, as DBOS asks of steps.
type dbosSagas struct {
	pool *pgxpool.Pool
	dbos dbos.DBOSContext
}

func startDBOS(ctx context.Context, url string, connections int) (*dbosSagas, error) {
	pool, err := newPool(ctx, url, connections)
	if err != nil {
		return nil, err
	}
	system, err := newPool(ctx, url, connections)
	if err != nil {
		return nil, err
	}
	d, err := dbos.NewDBOSContext(ctx, dbos.Config{AppName: "bench", SystemDBPool: system, Logger: measure.Quiet, ApplicationVersion: "1"})
	if err != nil {
		return nil, err
	}
	s := &dbosSagas{pool: pool, dbos: d}
	dbos.RegisterWorkflow(d, s.workflow)
	return s, dbos.Launch(d)
}

func newPool(ctx context.Context, url string, connections int) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = int32(connections)
	return pgxpool.NewWithConfig(ctx, config)
}

// input of a workflow.
type input struct {
	Saga    string
	Account int
}

func (s *dbosSagas) workflow(ctx dbos.DBOSContext, in input) (bool, error) {
	for step := range steps {
		_, err := dbos.RunAsStep(ctx, func(ctx context.Context) (bool, error) {
			return true, pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return effect(ctx, tx, step, in.Saga, in.Account) })
		}, dbos.WithStepName(fmt.Sprint("step ", step)))
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// run is one saga, from its start to its end.
func (s *dbosSagas) run(_ context.Context, saga string, account int) error {
	handle, err := dbos.RunWorkflow(s.dbos, s.workflow, input{saga, account}, dbos.WithWorkflowID(saga))
	if err != nil {
		return err
	}
	done, err := handle.GetResult()
	if err == nil && !done {
		err = errors.New("a workflow ended without a result")
	}
	return err
}

func (s *dbosSagas) close() error {
	dbos.Shutdown(s.dbos, 30*time.Second)
	s.pool.Close()
	return nil
}
