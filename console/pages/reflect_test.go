package pages_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

var timeType = reflect.TypeFor[time.Time]()

// mapTexts is a deep copy in which every text is changed.
func mapTexts(v reflect.Value, change func(string) string) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch {
	case v.Type() == timeType, v.Type() == reflect.TypeFor[api.Role](), v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8:
	case v.Kind() == reflect.String:
		out.SetString(change(v.String()))
	case v.Kind() == reflect.Pointer && !v.IsNil():
		out.Set(reflect.New(v.Type().Elem()))
		out.Elem().Set(mapTexts(v.Elem(), change))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			out.Field(i).Set(mapTexts(v.Field(i), change))
		}
	case v.Kind() == reflect.Slice && v.Len() > 0:
		out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		for i := range v.Len() {
			out.Index(i).Set(mapTexts(v.Index(i), change))
		}
	case v.Kind() == reflect.Map && v.Len() > 0:
		out.Set(reflect.MakeMap(v.Type()))
		for _, key := range v.MapKeys() {
			out.SetMapIndex(mapTexts(key, change), mapTexts(v.MapIndex(key), change))
		}
	}
	return out
}

func empty(v reflect.Value) reflect.Value { return reflect.Zero(v.Type()) }

// filled sets every field there is, each to something else.
func filled(v reflect.Value) reflect.Value {
	n := 0
	out := reflect.New(v.Type()).Elem()
	fill(out, &n)
	return out
}

func fill(v reflect.Value, n *int) {
	*n++
	switch {
	case v.Type() == timeType:
		v.Set(reflect.ValueOf(now.Add(-time.Duration(*n) * time.Second)))
	case v.Type() == reflect.TypeFor[api.Role]():
		v.SetString(string(api.Operator))
	case v.Kind() == reflect.String:
		v.SetString("text " + string(rune('a'+*n%26)))
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.CanInt():
		v.SetInt(int64(*n%99 + 1))
	case v.Kind() == reflect.Float64:
		v.SetFloat(float64(*n))
	case v.Kind() == reflect.Uint8:
		v.SetUint('1')
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case v.Kind() == reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, n)
		fill(value, n)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	}
}

func TestFillLeavesNothingEmpty(t *testing.T) {
	var check func(v reflect.Value, where string)
	check = func(v reflect.Value, where string) {
		if v.IsZero() {
			t.Errorf("%s is empty", where)
			return
		}
		switch {
		case v.Type() == timeType:
		case v.Kind() == reflect.Struct:
			for i := range v.NumField() {
				check(v.Field(i), where+"."+v.Type().Field(i).Name)
			}
		case v.Kind() == reflect.Pointer:
			check(v.Elem(), where)
		case v.Kind() == reflect.Slice:
			check(v.Index(0), where)
		}
	}
	for _, sample := range []any{api.Trace{}, api.Topic{}, api.Group{}, api.Overview{}, api.DeadLetter{}, api.Redrive{}} {
		check(filled(reflect.ValueOf(sample)), reflect.TypeOf(sample).Name())
	}
}
