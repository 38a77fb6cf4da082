package api

import (
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Field is a field of a type as its JSON has it, those of embedded structs
// included.
type Field struct {
	Name string
	// Index is for reflect.Value.FieldByIndex.
	Index []int
	Type  reflect.Type
	// Optional fields are left out where they are empty.
	Optional bool
	// Owner is the struct that declares it, GoName its name there.
	Owner  reflect.Type
	GoName string
}

var fieldsOf sync.Map // reflect.Type -> []Field

// FieldsOf are the fields of a struct type in their order, by encoding/json's
// rules: of two with one name the less deep one counts.
func FieldsOf(t reflect.Type) []Field {
	if known, ok := fieldsOf.Load(t); ok {
		return known.([]Field)
	}
	all := walkFields(t, nil)
	var fields []Field
	for _, f := range all {
		hidden := slices.ContainsFunc(all, func(o Field) bool { return o.Name == f.Name && len(o.Index) < len(f.Index) })
		if !hidden {
			fields = append(fields, f)
		}
	}
	fieldsOf.Store(t, fields)
	return fields
}

func walkFields(t reflect.Type, index []int) []Field {
	var fields []Field
	for i := range t.NumField() {
		f := t.Field(i)
		at := append(slices.Clone(index), i)
		tag, hasTag := f.Tag.Lookup("json")
		name, options, _ := strings.Cut(tag, ",")
		switch {
		case name == "-" && options == "":
		case f.Anonymous && f.Type.Kind() == reflect.Struct && name == "":
			fields = append(fields, walkFields(f.Type, at)...)
		case f.IsExported():
			if !hasTag || name == "" {
				name = f.Name
			}
			optional := strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero")
			fields = append(fields, Field{name, at, f.Type, optional, t, f.Name})
		}
	}
	return fields
}
