package sql

import (
	"strconv"
	"strings"
)

// unnest is a table of the arguments with the columns c1, c2 and so on.
func (r *rows) unnest() string {
	var arrays, names strings.Builder
	for i, c := range r.columns {
		if i > 0 {
			arrays.WriteString(", ")
			names.WriteString(", ")
		}
		n := strconv.Itoa(i + 1)
		arrays.WriteString("$" + n)
		if c.kind == bytea {
			arrays.WriteString("::bytea[]")
		} else {
			arrays.WriteString("::text[]")
		}
		names.WriteString("c" + n)
	}
	return "unnest(" + arrays.String() + ") AS v(" + names.String() + ")"
}

// value of a column in the table of the arguments, with the column's type.
func (r *rows) value(i int) string {
	c := &r.columns[i]
	name := "v.c" + strconv.Itoa(i+1)
	if c.kind == bytea {
		return name
	}
	return cast(name, c.own, c.kind)
}

func (r *rows) list(from, to int, separator string, one func(i int) string) string {
	parts := make([]string, 0, to-from)
	for i := from; i < to; i++ {
		parts = append(parts, one(i))
	}
	return strings.Join(parts, separator)
}

func (r *rows) name(i int) string { return quote(r.columns[i].name) }

func (r *rows) matches(i int) string { return "t." + r.name(i) + " = " + r.value(i) }

// statement that writes the rows; "" where there is nothing but keys to be updated.
func (r *rows) statement(t *table, mode string) string {
	if mode == modeUpdate {
		return r.update(t)
	}
	all := len(r.columns)
	overriding := ""
	for _, c := range r.columns {
		if c.always {
			overriding = " OVERRIDING SYSTEM VALUE"
		}
	}
	text := "INSERT INTO " + t.name.quoted() + " (" + r.list(0, all, ", ", r.name) + ")" + overriding +
		" SELECT " + r.list(0, all, ", ", r.value) + " FROM " + r.unnest()
	if mode != modeUpsert || r.keys == 0 {
		return text
	}
	text += " ON CONFLICT (" + r.list(0, r.keys, ", ", r.name) + ")"
	if r.keys == all {
		return text + " DO NOTHING"
	}
	return text + " DO UPDATE SET " + r.list(r.keys, all, ", ", func(i int) string { return r.name(i) + " = excluded." + r.name(i) })
}

func (r *rows) update(t *table) string {
	all := len(r.columns)
	if r.keys == 0 || r.keys == all {
		return ""
	}
	return "UPDATE " + t.name.quoted() + " AS t SET " + r.list(r.keys, all, ", ", func(i int) string { return r.name(i) + " = " + r.value(i) }) +
		" FROM " + r.unnest() + " WHERE " + r.list(0, r.keys, " AND ", r.matches)
}

func (r *rows) deletion(t *table) string {
	return "DELETE FROM " + t.name.quoted() + " AS t USING " + r.unnest() + " WHERE " + r.list(0, r.keys, " AND ", r.matches)
}
