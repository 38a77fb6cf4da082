package streams

import (
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/internal/run"
)

// queries of an App.
func (a *App) queries() querySource { return appQueries{a.runtime, a.topology} }

type appQueries struct {
	*run.Runtime
	topology *Topology
}

func (a appQueries) plan() *plan.Topology { return a.topology.plan }
