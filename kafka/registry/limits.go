package registry

import (
	"github.com/pabal-dev/pabal/kafka/registry/internal/core"
	"github.com/pabal-dev/pabal/kafka/registry/internal/tree"
)

// Limits keep a request, and a schema that was built to do harm, from occupying the registry.
type Limits struct {
	// Request is how many bytes the body of a request may have.
	Request int64
	// Schema is how many bytes the text of a schema may have.
	Schema int
	// Depth is how deep parts of a schema may lie in one another, and how many references may
	// follow one another.
	Depth int
	// Parts is how many fields, properties or symbols one part of a schema may have.
	Parts int
	// Branches is how many branches a union, or a oneOf, anyOf or allOf, may have.
	Branches int
	// Values is how many values a schema may have as JSON.
	Values int
	// References is how many other schemas one may refer to, directly and not.
	References int
}

// DefaultLimits are far above what events need.
func DefaultLimits() Limits {
	shape := tree.DefaultLimits()
	return Limits{
		Request: 4 << 20, Schema: 1 << 20, References: 250,
		Depth: shape.Depth, Parts: shape.Width, Branches: shape.Choices, Values: shape.Values,
	}
}

// filled takes the defaults where nothing is said.
func (l Limits) filled() Limits {
	d := DefaultLimits()
	if l.Request == 0 {
		l.Request = d.Request
	}
	for _, p := range []struct {
		of   *int
		want int
	}{
		{&l.Schema, d.Schema}, {&l.Depth, d.Depth}, {&l.Parts, d.Parts}, {&l.Branches, d.Branches}, {&l.Values, d.Values}, {&l.References, d.References},
	} {
		if *p.of == 0 {
			*p.of = p.want
		}
	}
	return l
}

func (l Limits) core() core.Limits {
	out := core.Limits{References: l.References, Text: l.Schema}
	out.Depth, out.Width, out.Values, out.Choices = l.Depth, l.Parts, l.Values, l.Branches
	return out
}
