// Package measure has what benchmarks share: a real PostgreSQL, pabal built as it is shipped, and
// what is made of the rounds' figures.
package measure

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/internal/testservers"
)

// Quiet logs nothing.
var Quiet = slog.New(slog.DiscardHandler)

// StartPostgres starts one whose commits are on disk, as in production.
func StartPostgres(ctx context.Context, w io.Writer) (*testservers.Server, error) {
	server, err := testservers.StartPostgres(ctx, "", "fsync = on", "synchronous_commit = on", "full_page_writes = on", "max_wal_size = 4GB")
	if err != nil {
		return nil, fmt.Errorf("%w (scripts/install-test-servers gets it)", err)
	}
	fmt.Fprintln(w, server.Name)
	return server, nil
}

// FreshDatabase is an empty one; drop it.
func FreshDatabase(ctx context.Context, server string) (where string, drop func() error, err error) {
	name := "bench_" + strings.ToLower(rand.Text()[:8])
	u, err := url.Parse(server)
	if err != nil {
		return "", nil, err
	}
	u.Path = "/" + name
	execute := func(statement string) error {
		conn, err := pgx.Connect(ctx, server)
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, statement)
		return err
	}
	return u.String(), func() error { return execute("DROP DATABASE " + name + " WITH (FORCE)") }, execute("CREATE DATABASE " + name)
}

// Median of the values, the mean of the middle two of an even number, 0 of none.
func Median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// RatioOf is the median of the rounds' ratios: the two sides of a round ran beside
// each other.
func RatioOf(ours, theirs []float64) float64 {
	var ratios []float64
	for i := range ours {
		ratios = append(ratios, ours[i]/theirs[i])
	}
	return Median(ratios)
}
