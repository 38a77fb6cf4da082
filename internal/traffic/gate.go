package traffic

import "sync/atomic"

// Gate counts what is asked for and not answered yet.
type Gate struct{ n atomic.Int64 }

// Enter is called before, Leave after it was answered.
func (g *Gate) Enter() { g.n.Add(1) }

// Leave is Enter's end.
func (g *Gate) Leave() { g.n.Add(-1) }

// Inside is how much entered and did not leave.
func (g *Gate) Inside() int { return int(g.n.Load()) }
