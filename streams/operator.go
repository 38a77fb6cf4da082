package streams

import (
	"slices"
)

// operator is a step of the topology as it was declared. Build writes it as nodes of the
// plan when all are known: what comes later decides whether a table needs a store, or
// whether a repartitioning lets null keys pass.
type operator struct {
	// name is that of its last node, to which children connect.
	name              string
	parents, children []*operator
	priority          int
	// source of an operator that begins a stream; nil of others.
	source *sourceSpec
	// keepsNullKeys: a join that has a result for a record without a key.
	keepsNullKeys bool
	// versioned says whether the table it makes is versioned; nil is as its parent's.
	versioned *bool
	// heedVersions is told that the named parent is versioned; nil does not care.
	heedVersions func(parent string)
	// noVersions is the problem if a parent is versioned; "" is none.
	noVersions string
	// grace of a windowed aggregation: until when after its end (ms) a window changes; nil
	// of others.
	grace *int64
	write func(w *writer)
}

// add connects an operator to its parents (none: the root). It is written in the order of
// its last addition, after its parents.
func (b *Builder) add(op *operator, parents ...*operator) *operator {
	if len(parents) == 0 {
		parents = []*operator{b.root}
	}
	for _, p := range parents {
		if !slices.Contains(p.children, op) {
			p.children = append(p.children, op)
			op.parents = append(op.parents, p)
		}
		op.priority = b.priority
		b.priority++
	}
	return op
}

// parentNames are the nodes that lead to op.
func (op *operator) parentNames() []string {
	names := make([]string, len(op.parents))
	for i, p := range op.parents {
		names[i] = p.name
	}
	return names
}

// isVersioned says whether the table that op makes is versioned.
func (op *operator) isVersioned() bool {
	if op.versioned != nil {
		return *op.versioned
	}
	return op.fromVersions()
}

// fromVersions says whether all that leads to op is versioned.
func (op *operator) fromVersions() bool {
	for _, p := range op.parents {
		if !p.isVersioned() {
			return false
		}
	}
	return len(op.parents) > 0
}

// nullKeysMatter says whether a join after op has a result for a record without a key.
func (op *operator) nullKeysMatter(known map[*operator]bool) bool {
	matter, ok := known[op]
	if ok {
		return matter
	}
	for _, c := range op.children {
		matter = matter || c.keepsNullKeys || c.nullKeysMatter(known)
	}
	known[op] = matter
	return matter
}
