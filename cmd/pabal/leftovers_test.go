package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
)

// nameOfRun is the part of names that a run has for itself, from its banner.
func nameOfRun(t *testing.T, r result) string {
	t.Helper()
	_, after, ok := strings.Cut(r.stderr, "topics and groups begin with demo-")
	name, _, dot := strings.Cut(after, ".")
	if !ok || !dot || len(name) != 8 {
		t.Fatalf("the banner does not name the run:\n%s", r.stderr)
	}
	return name
}

// topicsOf are the topics and groups with a prefix; topics go a while after
// Kafka said so.
func topicsOf(t *testing.T, brokers, prefix string) (left []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	client, err := kafka.NewClient(kafka.Config{Brokers: strings.Split(brokers, ",")})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	topics, err := admin.ListTopics(ctx)
	if err != nil {
		t.Fatal(err)
	}
	groups, err := admin.ListGroups(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(topics.Names(), groups.Groups()...) {
		if strings.HasPrefix(name, prefix) {
			left = append(left, name)
		}
	}
	return left
}

func schemasOf(t *testing.T, database string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'pabal%'`)
	if err != nil {
		t.Fatal(err)
	}
	left, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return left
}
