"""What a regression does with single respondents."""
