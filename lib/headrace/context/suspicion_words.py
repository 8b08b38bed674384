"""The words and marks of `suspicion`, as patterns over small letters without accents.

Kana are without their voice marks as well, so that `プロンプト` stands here as `フロンフト`, and `й` as `и`.
"""

import re

LOOKALIKES = str.maketrans("асеіјорѕхуԁһкмтвнοαεικρτυνΑ", "aceijopsxydhkmtbhoaeikptuva")
"""Cyrillic and Greek letters that look Latin."""

_GAP = r"(?:\W+\w+){0,4}?"
_FAR = r"(?:\W+\w+){0,10}?"
"""Up to so many words between two."""

_EARLIER = r"(?:previous|prior|above|preceding|earlier|foregoing|existing|original|initial|former|system|your)"
_RULES = r"(?:instruction|prompt|rule|guideline|directive|guardrail|restriction|command|training|programming)s?"
_IGNORE = r"(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|bypass|override|overwrite|do not follow|stop following)"

_OVERRIDE = [
    rf"\b{_IGNORE}(?:\W+\w+){{0,3}}?\W+{_EARLIER}(?:\W+\w+){{0,3}}?\W+{_RULES}\b",
    rf"\b{_IGNORE}\W+(?:all|any|every|these|those)\W+(?:of\W+(?:the|your)\W+)?{_RULES}\b(?!\W+(?:of|from|by|on|for|given)\b)",
    rf"\b{_IGNORE}\W+(?:everything|anything|all|what|whatever)\W+(?:that\W+)?(?:(?:you\W+)?(?:were|was|have been|is|said)\W+)?"
    r"(?:told|said|above|before|written|instructed)\b",
    rf"\b{_RULES}\W+(?:above|before this|so far)\W+(?:are|is|were)\W+(?:void|obsolete|invalid|cancelled|no longer)",
    # German, Dutch
    r"\b(?:ignorier|vergiss|vergesst|missachte|verwirf|umgehe)\w*(?:\W+\w+){0,3}?\W+"
    r"(?:vorherig|bisherig|obig|vorig|fruher|vorangegangen|vorstehend|alle|deine|eure)\w*(?:\W+\w+){0,2}?\W+"
    r"(?:system)?(?:anweisung|instruktion|regel|vorgabe|befehl|prompt|richtlinie)\w*",
    r"\b(?:negeer|vergeet|omzeil)\w*(?:\W+\w+){0,3}?\W+(?:vorige|eerdere|bovenstaande|alle|je|jouw)(?:\W+\w+){0,2}?\W+"
    r"(?:instructie|regel|opdracht|prompt|richtlijn)\w*",
    # French, Spanish, Portuguese, Italian: what is earlier may stand behind
    r"\b(?:ignor|oubli)\w*\W+(?:toutes?\W+)?(?:les?|tes|vos|ces)\W+(?:instruction|consigne|regle|directive)\w*\W+"
    r"(?:precedent|anterieur|ci-dessus|initial|recu|du systeme)\w*",
    r"\b(?:ignor|oubli)\w*\W+(?:toutes?\W+)(?:les?|tes|vos|ces)\W+(?:instruction|consigne|regle|directive)\w*",
    r"\bne (?:tiens|tenez|tenir) (?:pas|plus) compte\W+(?:de|des|du)(?:\W+\w+){0,2}?\W+(?:instruction|consigne|regle)\w*",
    r"\b(?:ignor|olvid|omit)\w*\W+(?:todas\W+)?(?:las|los|tus|sus|estas)\W+(?:instruccion|regla|indicacion|directriz|orden)\w*\W+"
    r"(?:anterior|previ|de arriba|del sistema|recibid)\w*",
    r"\b(?:ignor|olvid)\w*\W+todas\W+(?:las|tus|sus)\W+(?:instruccion|regla|indicacion|orden)\w*",
    r"\b(?:ignor|esquec|desconsider)\w*\W+(?:todas\W+)?(?:as|suas|essas|estas)?\W*(?:as\W+|suas\W+)?"
    r"(?:instruco|regra|orden|diretriz)\w*\W+(?:anterior|previ|acima|do sistema)\w*",
    r"\b(?:ignora|dimentica|trascura)\w*\W+(?:tutte\W+)?(?:le|tue|queste)\W+(?:tue\W+)?(?:istruzion|regol|indicazion|direttiv)\w*\W+"
    r"(?:precedent|sopra|di sistema|ricevut)\w*",
    r"\b(?:ignora|dimentica)\w*\W+tutte\W+le\W+(?:tue\W+)?(?:istruzion|regol|direttiv)\w*",
    # Polish, Turkish, Russian
    r"\b(?:zignoruj|ignoruj|zapomnij|pomin)\w*(?:\W+\w+){0,2}?\W+(?:poprzedni|wczesniejsz|wszystki|powyzsz)\w*"
    r"(?:\W+\w+){0,2}?\W+(?:instrukcj|polecen|zasad|regul)\w*",
    r"\b(?:onceki|yukaridaki|tum|butun)\w*(?:\W+\w+){0,2}?\W+(?:talimat|kural|komut)\w*(?:\W+\w+){0,2}?\W+"
    r"(?:yok say|unut|gormezden gel|dikkate alma)\w*",
    r"(?:игнорируи|проигнорируи|забудь|отмени)\w*(?:\W+\w+){0,2}?\W+(?:предыдущ|прежн|все|указанн|вышеуказанн)\w*"
    r"(?:\W+\w+){0,2}?\W+(?:инструкци|указани|правил|команд)\w*",
    # Arabic, Chinese, Japanese, Korean
    r"(?:تجاهل|انس).{0,20}(?:التعليمات|الاوامر|القواعد)",
    r"(?:忽略|忽視|无视|無視|忘记|忘記|忘掉).{0,8}(?:之前|以上|上面|前面|所有|先前|此前).{0,8}(?:指令|指示|提示|规则|規則|说明|命令)",
    r"(?:以前|これまて|前|上記|すへて|全て|今まて).{0,8}(?:指示|命令|フロンフト|ルール).{0,4}(?:無視|忘れ)",
    r"(?:이전|위의|모든|앞의).{0,8}(?:지시|명령|규칙|프롬프트).{0,8}(?:무시|잊)",
]  # fmt: skip

_AI = r"(?:ai|a\.i\.|llms?|gpt|chatgpt|claude|gemini|copilot|(?:large )?language models?|chatbots?|ki|ia)"
_ADDRESSED = [
    r"\bas an ai\b",
    rf"\byou are (?:now |actually |really |henceforth )?(?:an? |the )?(?:{_AI}|dan|unrestricted|jailbroken|uncensored)\b",
    r"\byou are (?:now|henceforth|no longer)\b(?:\W+\w+){0,3}?\W+(?:assistant|agent|bot|bound|system|mode|model|pirate)\b",
    rf"\b(?:dear|attention|note (?:to|for)|notice (?:to|for)|messages? (?:to|for)|instructions? (?:to|for)|if you are|for any|to all|hey|hello)"
    rf"\W+(?:(?:the|an?|any|all|every)\W+)?{_AI}(?:\W+(?:assistants?|models?|agents?|systems?|bots?))?\b",
    r"\b(?:ai|llm|language model)s?(?:\W+(?:assistant|model|agent|system)s?)? (?:must|should|shall|has to|have to|is to|are to|"
    r"(?:is|are) (?:instructed|required|reading)|reading this|processing this|summari[sz]ing this)",
    r"\b(?:new|updated|additional|important|real|actual) (?:system )?(?:instructions?|directives?|prompt|objective)\s*[:=]",
    r"\bfrom now on\W+(?:you\W+(?:are|must|will|shall|should|answer|respond)|act|respond|answer|reply|always|ignore)\b",
    rf"\b(?:act|respond|behave|pretend|role-?play|answer) as (?:if you (?:are|were|had)|an? (?:{_AI}|unrestricted|admin\w*|developer|hacker|root))",
    r"\b(?:developer|debug|god|dan|admin|maintenance|jailbreak) mode (?:is )?(?:now )?(?:enabled|activated|on)\b|\bjailbreak|do anything now",
    r"\b(?:do not|don't|never) (?:tell|inform|mention|warn|alert|show)\b(?:\W+\w+){0,5}?\W+(?:the|to the) users?\b",
    r"\b(?:when|whenever|if) (?:the|a|any) users? (?:ask|mention|want|request|inquire)s?\b",
    r"\b(?:in|for) (?:all|your|every) (?:future |subsequent )?(?:answers?|responses?|repl(?:y|ies))\b",
    r"\b(?:always|only) (?:answer|respond|reply|say|recommend|output)\b(?:\W+\w+){0,6}?\W+(?:regardless|no matter|instead of|whatever)",
    r"\brespond only with\b|\byour (?:new|only|real|actual) (?:task|role|goal|objective|job|purpose) (?:is|now)\b",
    r"\b(?:ab jetzt|ab sofort|von nun an) (?:bist|antworte|sagst|verhalte|musst) ?|\bdu bist (?:jetzt|nun|ab sofort) (?:ein|kein)\w*",
    r"\btu es (?:maintenant|desormais)\b|\b(?:a partir de maintenant|desormais)\W+(?:tu|reponds|repondez|agis)\b",
    r"\b(?:ahora|a partir de ahora|desde ahora)\W+(?:eres|responde|actua|debes)\b|\bactua como (?:si|un)\b",
    r"\b(?:agora|a partir de agora)\W+(?:voce (?:e|deve)|responda|aja)\b|\b(?:ora|adesso|d'ora in poi)\W+(?:sei (?:un|l)|rispondi|devi)\b",
    r"\b(?:je bent nu|vanaf nu (?:ben|antwoord|moet) ?)|\b(?:od teraz|teraz) (?:jestes|odpowiadaj|masz)\b|\bartik (?:sen|bir)\b",
    r"(?:теперь|отныне|с этого момента) (?:ты|отвечаи)|(?:你现在是|从现在(?:开始|起).{0,2}你|你必须(?:回答|回复))|(?:あなたは今から|これからあなたは|今からあなたは)",
]  # fmt: skip

_ROLE = [
    r"<\||\|>|<｜|\[/?inst\]|<</?sys>>|</?(?:system|assistant|user|human|instructions?|tool_call|function_calls?)\b[^>]{0,40}>",
    r"(?:^|\n)[#*>\-\[( ]*(?:system|assistant|developer)(?: (?:message|prompt|note|override|instruction)s?)?[\])*]*\s*:(?!//)",
    r"(?:^|\n)\W{0,4}(?:human|ai)\s*:|(?:^|\n)#{2,} ?(?:instruction|system|response|new instruction)s?\b",
    r"\b(?:begin|end|start)(?: of)? (?:the )?(?:system|admin|hidden|items|context|document|user input)(?: prompt| message| instructions?)?\s*(?:[\]=:>\-]|$|\n)",
    r"\"role\"\s*:\s*\"(?:system|assistant|developer)\"|<start_of_turn>|<end_of_turn>",
]  # fmt: skip

_SECRET = r"(?:system|hidden|secret|initial|original|internal|developer) (?:prompt|instruction|message|rule|guideline|configuration)s?"
_PROMPT = [
    r"\bsystem[- ]?prompt|\bsystemanweisung|\bprompt (?:systeme|del sistema|do sistema|di sistema)|\binvite systeme",
    r"\b(?:instructions? (?:systeme|du systeme)|instrucciones del sistema|istruzioni di sistema|instrucoes do sistema)",
    rf"\b(?:reveal|show|print|repeat|output|display|tell|write|leak|disclose|recite|dump|give|share|quote|list)\w*{_FAR}\W+(?:{_SECRET}|your (?:\w+ )?(?:instructions|prompt|guidelines))\b",
    r"\b(?:repeat|print|output|translate|summari[sz]e)\W+(?:all |everything |the (?:words|text|lines|content) )?(?:above|before this)\b",
    r"системн\w+ (?:промпт|подсказк|инструкци|сообщени)|(?:系统|系統)(?:提示|指令|消息)|システムフロンフト|시스템 ?프롬프트",
]  # fmt: skip

_SPOILS = (
    r"(?:conversation|chat (?:history|log|transcript)|previous messages|message history|user'?s? (?:data|names?|e-?mails?|"
    r"questions?|details|profile|passports?|passwords?|messages?|bookings?|address)|customer'?s (?:data|names?|e-?mails?|details|profile|"
    r"passports?|passwords?|cards?)|api keys?|credentials|access tokens?|everything you know|context above|profile of the)"
)
_EXFILTRATION = [
    r"!\[[^\]]*\]\(\s*(?:https?:)?//[^)\s]*[?{$<\[]",
    r"<img\b[^>]*\bsrc\s*=|\]\(\s*(?:javascript|data):",
    r"https?://[^\s)]*(?:\{|%7b|\$\{|\[(?!\d)|<)[^\s)]*",
    rf"\b(?:send|forward|post|e-?mail|transmit|upload|submit|append|include|encode|embed|insert|put|exfiltrate|leak|copy)\w*{_GAP}"
    rf"\W+{_SPOILS}",
    r"\b(?:append|add|include|embed|insert|render|display)\b(?:\W+\w+){0,6}?\W+(?:image|link|url)\b(?:\W+\w+){0,8}?\W+(?:every|each|all|the|your) (?:answer|response|reply)",
]  # fmt: skip

PLAIN_RULES = {
    rule: re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
    for rule, patterns in {
        "override": _OVERRIDE, "addressed": _ADDRESSED, "role": _ROLE, "prompt": _PROMPT, "exfiltration": _EXFILTRATION,
    }.items()
}  # fmt: skip
"""By rule, what a plain text must hold to meet it."""
