package journal

import (
	"encoding/json"
	"fmt"
	"reflect"
)

// JSONSerializer is the number of Pekko's Jackson JSON serializer; CBORSerializer
// that of its CBOR one, which is registered with a library of your choice:
//
//	journal.Typed(journal.CBORSerializer, cbor.Marshal, cbor.Unmarshal, types...)
const (
	JSONSerializer = 31
	CBORSerializer = 33
)

// JSON is compatible with Pekko's Jackson JSON serializer: it writes plain JSON,
// and reads it plain or compressed with gzip or LZ4, as Pekko's does from 32 KiB.
func JSON(types ...Type) Serializer {
	return Typed(JSONSerializer, json.Marshal, json.Unmarshal, types...)
}

// Typed is a serializer that tells its types by their manifest. The functions
// are shaped like those of encoding/json. NewRegistry reports what is wrong with
// the types.
func Typed(id int32, marshal func(any) ([]byte, error), unmarshal func([]byte, any) error, types ...Type) Serializer {
	s := &typed{id: id, marshal: marshal, unmarshal: unmarshal, byName: map[string]Type{}, byType: map[reflect.Type]Type{}}
	for _, t := range types {
		if err := s.add(t); err != nil && s.problem == nil {
			s.problem = err
		}
	}
	return s
}

type typed struct {
	id        int32
	marshal   func(any) ([]byte, error)
	unmarshal func([]byte, any) error
	byName    map[string]Type
	byType    map[reflect.Type]Type
	problem   error
}

func (s *typed) add(t Type) error {
	if err := t.check(); err != nil {
		return err
	}
	if other, taken := s.byType[t.goType]; taken {
		return fmt.Errorf("journal: serializer %d: type %v has two manifests, %q and %q: make one an alias", s.id, t.goType, other.name, t.name)
	}
	s.byType[t.goType] = t
	for _, name := range append([]string{t.name}, t.aliases...) {
		if other, taken := s.byName[name]; taken {
			return fmt.Errorf("journal: serializer %d: manifest %q names both %v and %v", s.id, name, other.goType, t.goType)
		}
		s.byName[name] = t
	}
	return nil
}

// check is asked by NewRegistry.
func (s *typed) check() error { return s.problem }

func (s *typed) ID() int32 { return s.id }

func (s *typed) Marshal(value any) (Payload, bool, error) {
	t, ok := s.byType[reflect.TypeOf(value)]
	if !ok {
		return Payload{}, false, nil
	}
	data, err := s.marshal(value)
	if err != nil {
		return Payload{}, true, fmt.Errorf("journal: serializer %d: a value of type %v: %w", s.id, t.goType, err)
	}
	return Payload{Serializer: s.id, Manifest: t.manifest(), Data: data}, true, nil
}

func (s *typed) Unmarshal(p Payload) (any, error) {
	name, version := splitVersion(p.Manifest)
	t, known := s.byName[name]
	if !known {
		return nil, fmt.Errorf("%w %q of serializer %d: register its type with TypeOf, or add an alias or an adapter", ErrManifest, p.Manifest, s.id)
	}
	if err := t.reads(version); err != nil {
		return nil, fmt.Errorf("manifest %q of serializer %d: %w", p.Manifest, s.id, err)
	}
	data, err := unpack(p)
	if err != nil {
		return nil, err
	}
	value, err := t.decode(s.unmarshal, data)
	if err != nil {
		return nil, corrupt(p, err)
	}
	return value, nil
}

func corrupt(p Payload, err error) error {
	return fmt.Errorf("%w: serializer %d, manifest %q, %d bytes: %w", ErrCorrupt, p.Serializer, p.Manifest, len(p.Data), err)
}
