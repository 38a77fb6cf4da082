package api

import (
	"context"
	"slices"
	"sync"

	"github.com/pabal-dev/pabal/admin"
)

// askEach asks services by name at the same time; keep gets their answers, one after
// the other. Problems are those that could not be asked.
func askEach[A any](ctx context.Context, services Services, names []string, ask func(admin.API) (A, error), keep func(service string, answer A)) (problems []string) {
	var mu sync.Mutex
	var asking sync.WaitGroup
	for _, name := range names {
		asking.Go(func() {
			s, err := services.At(ctx, name)
			var answer A
			if err == nil {
				answer, err = ask(s)
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				problems = append(problems, name+": "+err.Error())
				return
			}
			keep(name, answer)
		})
	}
	asking.Wait()
	return problems
}

// thoseWith are the names of services of which an instance answers and has something;
// problems are the instances that do not answer.
func thoseWith(services []Service, has func(*admin.Status) bool) (names, problems []string) {
	for _, s := range services {
		switch {
		case s.Status == nil:
			if s.Problem != "" {
				problems = append(problems, s.Name+" "+s.Instance+": "+s.Problem)
			}
		case has(s.Status) && !slices.Contains(names, s.Name):
			names = append(names, s.Name)
		}
	}
	return names, problems
}
