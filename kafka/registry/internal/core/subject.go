// Package core is what a schema registry decides, without I/O: the state that records make, what a
// request answers, and which records it writes. Records and answers are those of Confluent's
// registry.
package core

import (
	"strings"
	"unicode"
)

// Contexts that are special. The name of every context begins with a dot.
const (
	DefaultContext = "."
	// globalContext holds configuration and mode of what has none of its own in any context.
	globalContext = ".__GLOBAL"
	// AnyContext before a prefix of subjects means those of all contexts.
	AnyContext = ":*:"
)

// Split takes a subject as requests and records have it, ":.context:name" or "name", apart.
func Split(subject string) (context, name string) {
	if !strings.HasPrefix(subject, ":.") {
		return DefaultContext, subject
	}
	context, name, _ = strings.Cut(subject[1:], ":")
	return context, name
}

// Join is the reverse of Split.
func Join(context, name string) string {
	if context == DefaultContext {
		return name
	}
	return ":" + context + ":" + name
}

// Normalize writes subjects that mean the same in one way.
func Normalize(subject string) string { return Join(Split(subject)) }

// Qualify puts a name that has no context of its own into that of another subject.
func Qualify(subject, name string) string {
	if context, _ := Split(name); context != DefaultContext {
		return Normalize(name)
	}
	context, _ := Split(subject)
	_, local := Split(name)
	return Join(context, local)
}

// contextOf is how messages and keys write the context of a subject: empty for the default one.
func contextOf(subject string) string {
	context, _ := Split(subject)
	return Join(context, "")
}

// isContext tells a subject that stands for a whole context.
func isContext(subject string) bool {
	_, name := Split(subject)
	return name == ""
}

// CheckSubject reports a name that no subject may have. Configurations and modes also have the
// names of contexts.
func CheckSubject(subject string, settings bool) error {
	context, name := Split(subject)
	bad := strings.ContainsFunc(subject, unicode.IsControl) || name == "__GLOBAL" || name == "__EMPTY"
	if !settings {
		bad = bad || context == globalContext || name == "" || name == "*"
	}
	if bad {
		return errorf(InvalidSubject, "The specified subject '%s' is not a valid.", subject)
	}
	return nil
}

// covers tells whether a subject is meant by a scope: itself, one of the context, or all.
func covers(scope, subject string) bool {
	if scope == subject || scope == "" {
		return true
	}
	if !isContext(scope) {
		return false
	}
	context, _ := Split(scope)
	own, _ := Split(subject)
	return context == globalContext || context == own
}
