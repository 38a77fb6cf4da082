package sagas

import (
	"fmt"
	"testing"

	"github.com/pabal-dev/pabal/bench/measure"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// TestPeers holds the peers to the same effects as ours.
func TestPeers(t *testing.T) {
	server := testenv.Postgres(t)
	for name, start := range map[string]func(url string) (runner, error){
		"pabal": func(url string) (runner, error) { return startPabal(t.Context(), url, 8) },
		"dbos":  func(url string) (runner, error) { return startDBOS(t.Context(), url, 8) },
		"dtm":   func(url string) (runner, error) { return startDTM(t.Context(), url, 8) },
	} {
		t.Run(name, func(t *testing.T) {
			if name == "dtm" {
				testenv.Full(t) // it is built first, which takes minutes
			}
			url, drop, err := measure.FreshDatabase(t.Context(), server)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = drop() }()
			pool, err := newPool(t.Context(), url, 2)
			if err != nil {
				t.Fatal(err)
			}
			defer pool.Close()
			if _, err := pool.Exec(t.Context(), effectTables); err != nil {
				t.Fatal(err)
			}
			s, err := start(url)
			if err != nil {
				t.Fatal(err)
			}
			const sagas = 20
			for i := range sagas {
				if err := s.run(t.Context(), fmt.Sprint("saga-", i), i); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.close(); err != nil {
				t.Error(err)
			}
			if err := checkEffects(t.Context(), pool, sagas); err != nil {
				t.Error(err)
			}
		})
	}
}
