package journal

import (
	"errors"
	"fmt"
	"reflect"
)

// Serializer turns values of its types into bytes and back, under a number that
// every reader of the table knows it by. 0 to 40 are Pekko's, see JSON and
// Primitives; ones of your own begin at FirstOwnSerializer.
type Serializer interface {
	// ID is the number.
	ID() int32
	// Marshal returns false where it is not for the value's type.
	Marshal(value any) (p Payload, ok bool, err error)
	// Unmarshal decodes a payload of this number; its error wraps ErrManifest where
	// it does not know the manifest.
	Unmarshal(p Payload) (any, error)
}

// FirstOwnSerializer is the lowest number that is not reserved.
const FirstOwnSerializer = 41

// Errors of a Registry, wrapped with the number, manifest or type.
var (
	// ErrSerializer: no serializer has that number, or takes that type.
	ErrSerializer = errors.New("journal: no serializer")
	// ErrManifest: the serializer does not know the type named by the manifest.
	ErrManifest = errors.New("journal: unknown manifest")
	// ErrCorrupt: the bytes cannot be decoded.
	ErrCorrupt = errors.New("journal: corrupt payload")
)

// Registry is the serializers of a service, asked in their order. It is safe for
// concurrent use and immutable.
type Registry struct {
	all      []Serializer
	byID     map[int32]Serializer
	adapters map[adapterKey]Adapter
}

// NewRegistry checks that no two have one number, and what they say of their
// types.
func NewRegistry(serializers ...Serializer) (*Registry, error) {
	r := &Registry{all: serializers, byID: map[int32]Serializer{}}
	for _, s := range serializers {
		if other, taken := r.byID[s.ID()]; taken {
			return nil, fmt.Errorf("journal: serializers %T and %T have the same number %d", other, s, s.ID())
		}
		if c, ok := s.(interface{ check() error }); ok {
			if err := c.check(); err != nil {
				return nil, err
			}
		}
		r.byID[s.ID()] = s
	}
	return r, nil
}

// Marshal encodes with the first serializer that takes the value.
func (r *Registry) Marshal(value any) (Payload, error) {
	for _, s := range r.all {
		if p, ok, err := s.Marshal(value); ok || err != nil {
			return p, err
		}
	}
	return Payload{}, fmt.Errorf("%w takes a value of type %v: register it with TypeOf", ErrSerializer, reflect.TypeOf(value))
}

// Unmarshal decodes with the serializer of the payload's number.
func (r *Registry) Unmarshal(p Payload) (any, error) {
	s, ok := r.byID[p.Serializer]
	if !ok {
		return nil, fmt.Errorf("%w has the number %d (manifest %q): register the one that wrote it", ErrSerializer, p.Serializer, p.Manifest)
	}
	return s.Unmarshal(p)
}
