import FoundationEssentials

@testable import Calendar

/// "2026-03-29 02:30" in UTC.
func utc(_ text: String) throws -> Date { try ZoneRules.utc.date(text) }
