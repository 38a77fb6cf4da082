package api

// Engines are the parts of a console, behind the JSON API and the pages.
type Engines struct {
	Topics      Topics
	Groups      Groups
	Services    Services
	Lens        Lens
	DeadLetters DeadLetters
	Audit       Audit
	// Streams may be nil: there are none then.
	Streams Streams
	// Connectors may be nil: there are none then.
	Connectors Connectors
	// Schemas may be nil: there is no registry then.
	Schemas Schemas
	// Broker may be nil: it is not in the console's process then.
	Broker  LocalBroker
	Version string
}
