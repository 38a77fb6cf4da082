package sagas

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// steps is how many each saga has; each books an amount from an account of its own
// set, which is the effect.
const (
	steps    = 3
	accounts = 1000 // per step
	amount   = 7
)

const effectTables = `
CREATE TABLE account (step int, id int, balance bigint NOT NULL, PRIMARY KEY (step, id));
CREATE TABLE effect (step int, saga text, account int NOT NULL, PRIMARY KEY (step, saga));
INSERT INTO account SELECT s, i, 0 FROM generate_series(0, 2) AS s, generate_series(0, 999) AS i`

// executor is a connection, a pool or a transaction.
type executor interface {
	Exec(ctx context.Context, query string, args ...any) (pgconn.CommandTag, error)
}

// effect books for one saga; twice is an error.
func effect(ctx context.Context, tx executor, step int, saga string, account int) error {
	if _, err := tx.Exec(ctx, "INSERT INTO effect VALUES ($1, $2, $3)", step, saga, account); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "UPDATE account SET balance = balance - $3 WHERE step = $1 AND id = $2", step, account, amount)
	return err
}

// checkEffects holds the tables to that many sagas, each done once and whole.
func checkEffects(ctx context.Context, pool *pgxpool.Pool, sagas int64) error {
	var effects, wrong int64
	err := pool.QueryRow(ctx, `SELECT (SELECT count(*) FROM effect),
		(SELECT count(*) FROM account AS a WHERE balance <> (0 - $1::bigint) * (SELECT count(*) FROM effect AS e WHERE e.step = a.step AND e.account = a.id))`, amount).
		Scan(&effects, &wrong)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	if effects != steps*sagas || wrong != 0 {
		return fmt.Errorf("%d sagas left %d effects, and %d accounts are wrong", sagas, effects, wrong)
	}
	return nil
}
