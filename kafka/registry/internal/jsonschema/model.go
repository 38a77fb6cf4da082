package jsonschema

import (
	"math/big"
	"regexp"

	"github.com/pabal-dev/pabal/kafka/registry/internal/tree"
)

// kind is what a schema is mainly about; schemas of different kinds are not compared further.
type kind int

const (
	emptyKind kind = iota // allows everything, as true does
	falseKind
	stringKind
	numberKind
	booleanKind
	nullKind
	objectKind
	arrayKind
	enumKind
	constKind
	notKind
	combinedKind
	conditionalKind
	referenceKind
)

// node is a schema as it is compared.
type node struct {
	kind   kind
	source *tree.Value
	text   string // of source, once it was asked for
	// refers is where a reference leads; nil where it leads nowhere.
	refers *node

	// what every schema may say
	id, title, description string
	fallback               *tree.Value
	bytes                  bool // connect.type is bytes

	// bounds are the numeric keywords, by name: maxLength, minimum, multipleOf and so on.
	bounds  map[string]*big.Rat
	pattern *string
	integer bool
	unique  bool

	values   []*tree.Value // of enum and const
	inner    *node         // of not
	combined *combination
	object   *object
	array    *array
}

// combination of schemas by allOf, anyOf or oneOf.
type combination struct {
	criterion string
	parts     []*node
}

// object is what is said about objects.
type object struct {
	names       []string // of properties, in the schema's order
	properties  map[string]*node
	required    map[string]bool
	patterns    []patternProperty
	additional  rest
	unevaluated *node // nil where nothing is said
	needs       map[string][]string
	needSchemas map[string]*node
}

type patternProperty struct {
	pattern *regexp.Regexp // nil where Go does not know it
	schema  *node
}

// rest is what additionalProperties or additionalItems says.
type rest struct {
	forbidden bool
	schema    *node // nil where anything is allowed, or nothing
}

// array is what is said about arrays.
type array struct {
	all         *node
	items       []*node
	additional  rest
	unevaluated *node
}

// key is equal for schemas that say the same.
func (n *node) key() string {
	if n.text == "" && n.source != nil {
		n.text = n.source.Sorted().Compact()
	}
	return n.text
}

// follow goes through references.
func (n *node) follow() *node {
	for range maxReferences {
		if n == nil || n.kind != referenceKind {
			return n
		}
		n = n.refers
	}
	return nil // a circle of references says nothing
}

// maxReferences is how many references may follow one another.
const maxReferences = 64

// open tells that properties may have any name and value.
func (o *object) open() bool {
	return !o.additional.forbidden && o.additional.schema == nil && len(o.patterns) == 0 &&
		(o.unevaluated == nil || o.unevaluated.kind == emptyKind)
}

// partly is the schema of a property that is not named, where there is one.
func (o *object) partly(name string) *node {
	for _, p := range o.patterns {
		if p.pattern != nil && p.pattern.MatchString(name) {
			return p.schema
		}
	}
	return partly(o.additional, o.unevaluated)
}

func (a *array) open() bool {
	return !a.additional.forbidden && a.additional.schema == nil && (a.unevaluated == nil || a.unevaluated.kind == emptyKind)
}

func partly(additional rest, unevaluated *node) *node {
	if additional.schema != nil || additional.forbidden {
		return additional.schema
	}
	if unevaluated != nil && unevaluated.kind != falseKind && unevaluated.kind != emptyKind {
		return unevaluated
	}
	return nil
}
