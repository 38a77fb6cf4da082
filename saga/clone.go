package saga

import (
	"encoding/json"
	"reflect"
	"sync"
	"time"
)

// clone is a deep copy: of what JSON keeps, unless assigning copies all.
func clone[S any](s S) (S, error) {
	if assignable(reflect.TypeFor[S]()) {
		return s, nil
	}
	var copied S
	data, err := json.Marshal(s)
	if err == nil {
		err = json.Unmarshal(data, &copied)
	}
	return copied, err
}

var assignables sync.Map // reflect.Type -> bool

func assignable(t reflect.Type) bool {
	if known, ok := assignables.Load(t); ok {
		return known.(bool)
	}
	plain := isPlain(t)
	assignables.Store(t, plain)
	return plain
}

// isPlain says whether two values of a type share nothing that can be changed.
func isPlain(t reflect.Type) bool {
	if t == reflect.TypeFor[time.Time]() {
		return true
	}
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			if !isPlain(t.Field(i).Type) {
				return false
			}
		}
		return true
	case reflect.Array:
		return isPlain(t.Elem())
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface, reflect.Chan, reflect.Func, reflect.UnsafePointer:
		return false
	}
	return true
}
