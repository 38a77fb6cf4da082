package demo

import (
	"context"
	"fmt"

	"github.com/pabal-dev/pabal/internal/invariants"
	"github.com/pabal-dev/pabal/internal/traffic"
	"github.com/pabal-dev/pabal/internal/traffic/library"
)

// libraryScenario: members rent books.
type libraryScenario struct {
	stage
	ledger  *traffic.Ledger
	traffic *library.Traffic
}

func (s *libraryScenario) prepare(ctx context.Context, on stage) (err error) {
	s.stage = on
	if s.ledger, err = on.ledger("accepted-library.log"); err != nil {
		return err
	}
	s.traffic = library.New(library.Config{
		Rental: on.url("rental"), Book: on.url("book"), Member: on.url("member"),
		Run: on.folder.key(), Seed: on.seed, Rate: on.rate, MaxOpen: on.maxOpen, Ledger: s.ledger,
	})
	return s.traffic.Prepare(ctx)
}

func (s *libraryScenario) run(ctx context.Context, stop <-chan struct{}) { s.traffic.Run(ctx, stop) }

func (s *libraryScenario) first() (<-chan struct{}, string) {
	return s.traffic.FirstRented(), "First book rented"
}

func (s *libraryScenario) progress() progress {
	n := s.traffic.Stats()
	return progress{
		name: "library", ended: n.Ended, lastEnd: n.LastEnd, latency: s.traffic.Latency(),
		counts: []count{
			{"rents", n.Rents}, {"returned", n.Returned}, {"compensated", n.Undone}, {"under way", n.Rents - n.Ended},
		},
	}
}

func (s *libraryScenario) settled(ctx context.Context) (bool, error) {
	return invariants.LibrarySettled(ctx, s.databases())
}

func (s *libraryScenario) databases() invariants.LibraryDatabases {
	return invariants.LibraryDatabases{
		Rental: s.dbs.of("rental"), Book: s.dbs.of("book"), Member: s.dbs.of("member"), BestBook: s.dbs.of("bestbook"),
		Postgres: s.dbs.postgres,
	}
}

func (s *libraryScenario) report(ctx context.Context, r *Report) error {
	n, err := invariants.CountLibrary(ctx, s.databases(), s.begun)
	if err != nil {
		return err
	}
	r.Library = &n
	results, err := invariants.CheckLibrary(ctx, s.databases(), s.ledger.Read)
	r.Invariants = append(append(r.Invariants, results...), s.results()...)
	return err
}

func (s *libraryScenario) results() []invariants.Result {
	stats := s.traffic.Stats()
	refusals := invariants.Result{
		Name: "library refusals", OK: stats.Wrong == 0,
		Detail: fmt.Sprintf("%d rents were compensated, %d that had to be were not; %d requests came at the wrong time and were refused",
			stats.Undone, stats.Wrong, stats.Refused),
	}
	return []invariants.Result{refusals, requests("library requests", stats.Repeats, stats.Failed, s.ledger.UnknownCount(), stats.FirstFailure, "")}
}

func (s *libraryScenario) try() []string {
	no, title := s.traffic.Sample()
	return []string{
		fmt.Sprintf(`curl -s %s/rent -H 'Content-Type: application/json' -d '{"idName":{"id":"%s-member-1","name":"Member 1"},"item":{"no":%d,"title":"%s"}}'`,
			s.url("rental"), s.folder.key(), no, title),
		fmt.Sprintf(`curl -s '%s/best-books?limit=5'`, s.url("bestbook")),
	}
}

func (s *libraryScenario) close() error { return closeBoth(nil, s.ledger) }
