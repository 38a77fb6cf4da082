package run

import (
	"slices"
	"sync"

	"github.com/VictoriaMetrics/metrics"
)

// shared are the gauges of all Runtimes of this process: two of the same application and the same
// set have the same names. The later one's are seen, and the earlier one's again when it is gone.
var shared = sharedGauges{by: map[gauge][]shower{}}

type sharedGauges struct {
	mu sync.Mutex
	by map[gauge][]shower // the last is seen
}

type gauge struct {
	set  *metrics.Set
	name string
}

type shower struct {
	m     *meter
	value func() float64
}

func (s *sharedGauges) show(g gauge, m *meter, value func() float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.see(g, append(without(s.by[g], m), shower{m, value}))
}

func (s *sharedGauges) hide(g gauge, m *meter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.see(g, without(s.by[g], m))
}

func without(all []shower, m *meter) []shower {
	return slices.DeleteFunc(all, func(s shower) bool { return s.m == m })
}

// see has the last one's value shown, with mu held.
func (s *sharedGauges) see(g gauge, all []shower) {
	g.set.UnregisterMetric(g.name)
	if len(all) == 0 {
		delete(s.by, g)
		return
	}
	s.by[g] = all
	g.set.GetOrCreateGauge(g.name, all[len(all)-1].value)
}
