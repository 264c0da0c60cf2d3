"""A small manual in four languages, for tests: each paragraph a page's worth of prose, with headings and numbers."""

MANUALS = {
    "de": """Inhaltsverzeichnis

2.1.1. Paketverwaltung einrichten
2.1.2. Gerätedateien
2.1.3. Netzwerk
2.1.4. Grundlegende Vorsichtsmaßnahmen
2.1.5. Kopien

2.1.1. Paketverwaltung einrichten

Das Betriebssystem installiert Softwarepakete aus einem Archiv, das von vielen Freiwilligen gepflegt wird. Beschädigte Pakete \
werden vor der Installation an ihrer Prüfsumme erkannt und nicht ausgeführt. Die Konfigurationsdateien liegen im Verzeichnis \
für Systemeinstellungen und werden bei einer Aktualisierung niemals überschrieben.

2.1.2. Gerätedateien

Eine Gerätedatei ist ein Eintrag im Dateisystem, über den ein Programm die Hardware anspricht. Für jede Festplatte gibt es \
eine blockorientierte Gerätedatei, z. B. für den Ruhezustand. Der Kernel vergibt die Gerätenummern beim Hochfahren \
selbstständig.

2.1.3. Netzwerk

Die Netzwerkschnittstelle erhält ihre Adresse über das Protokoll zur automatischen Zuweisung. Schlägt die Zuweisung fehl, \
wählt der Rechner eine lokale Adresse aus dem reservierten Bereich. Öffentliche Schlüssel ermöglichen die Anmeldung ohne \
Kennwort.

2.1.5. Kopien

Regelmäßige Sicherungskopien schützen vor dem Verlust wichtiger Dokumente. Überprüfen Sie die Wiederherstellung der \
Sicherungskopien mindestens einmal im Jahr auf einem zweiten Rechner. Verschlüsselte Datenträger benötigen zusätzlich einen \
Wiederherstellungsschlüssel.
""",
    "fr": """2.1.1. Gestion des paquets

Le système installe des paquets logiciels depuis une archive entretenue par de nombreux bénévoles. L'intégrité des paquets \
téléchargés est vérifiée avant l'installation grâce à leur empreinte numérique. Les fichiers de configuration modifiés par \
l'administrateur ne sont jamais écrasés pendant une mise à jour.

2.1.2. Fichiers de périphériques

Un fichier de périphérique est une entrée du système de fichiers par laquelle un programme accède au matériel. Chaque disque \
dur possède un périphérique en mode bloc créé au démarrage. Le noyau attribue automatiquement les numéros de périphérique.

2.1.3. Réseau

L'interface réseau reçoit son adresse par un protocole d'attribution automatique. Si l'attribution échoue, la machine choisit \
une adresse locale dans la plage réservée. Les clés publiques permettent une connexion sans mot de passe.

2.1.4. Copies

Des sauvegardes régulières protègent contre la perte de documents précieux. Vérifiez la restauration des sauvegardes au moins \
une fois par an sur un deuxième ordinateur. Les supports chiffrés exigent en outre une clé de récupération.
""",
    "ja": """2.1.1. パッケージ管理

システムはアーカイブからパッケージをインストールします。ダウンロードしたパッケージは、インストールの前にチェックサムで検証されます。\
管理者が変更した設定ファイルは、アップグレードの際に上書きされることはありません。

2.1.2. デバイスファイル

デバイスファイルとは、プログラムがハードウェアを利用するための特別なファイルです。ハードディスクごとにブロックデバイスが起動時に作成されます。\
カーネルはデバイス番号を自動的に割り当てます。

2.1.3. ネットワーク

ネットワークインターフェースは、自動割り当てのプロトコルによってアドレスを受け取ります。割り当てに失敗すると、計算機は予約された範囲から\
ローカルアドレスを選びます。公開鍵を使うとパスワードなしでログインできます。

2.1.4. バックアップ

定期的なバックアップは、大切な文書の消失を防ぎます。少なくとも年に一度は別の計算機でバックアップの復元を確認してください。\
暗号化された記憶媒体には、さらに回復キーが必要です。
""",
    "ko": """2.1.1. 패키지 관리

운영 체제는 자원봉사자들이 관리하는 아카이브에서 패키지를 설치합니다. 손상된 패키지는 설치하기 전에 검사 합계로 확인됩니다. \
관리자가 수정한 설정 파일은 업그레이드할 때 절대로 덮어쓰지 않습니다.

2.1.2. 장치 파일

장치 파일은 프로그램이 하드웨어에 접근하기 위한 파일 시스템의 항목입니다. 하드 디스크마다 부팅할 때 블록 장치가 만들어집니다. \
커널은 장치 번호를 자동으로 할당합니다.

2.1.3. 네트워크

네트워크 인터페이스는 자동 할당 프로토콜을 통해 주소를 받습니다. \
할당에 실패하면 컴퓨터는 예약된 범위에서 지역 주소를 선택합니다. 공개 키를 사용하면 암호 없이 로그인할 수 있습니다.

2.1.4. 백업

정기적인 백업은 중요한 문서가 사라지는 것을 막아 줍니다. 적어도 일 년에 한 번은 다른 컴퓨터에서 백업 복원을 확인하십시오. \
암호화된 저장 매체에는 복구 키도 필요합니다.
""",
}
