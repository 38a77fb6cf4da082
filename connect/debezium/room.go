package debezium

import (
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/internal/slab"
)

// room is where the parts of records are made, many at a time; nil makes each by itself.
type room struct {
	structs   slab.Slab[data.Struct]
	keys      slab.Slab[singleKey]
	envelopes slab.Slab[envelope]
}

// mostShared bounds changes whose parts share memory with those of others: they live as long as the
// last one of them.
const mostShared = 8 << 10

func (r *room) newStruct() *data.Struct {
	if r == nil {
		return &data.Struct{}
	}
	return r.structs.One()
}

func (r *room) newKey() *singleKey {
	if r == nil {
		return &singleKey{}
	}
	return r.keys.One()
}

func (r *room) newEnvelope() *envelope {
	if r == nil {
		return &envelope{}
	}
	return r.envelopes.One()
}
